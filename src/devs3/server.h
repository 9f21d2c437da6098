#pragma once

#include <string>

#include "control.h"
#include "faults.h"
#include "operations.h"
#include "request_log.h"

namespace prefixfs::devs3 {

/// Turns connections into operations: read, route, authenticate, perform, answer, log. Thread-safe.
class Server {
 public:
  struct Options {
    bool allow_unsigned_payload = false;
    bool control = false;
  };

  Server(Context& context, Control& control, Options options) : context_(context), control_(control), options_(options) {}

  /// Serves one connection until it ends.
  void serve(int socket);

 private:
  /// An answer that is decided, and what the log says of it.
  struct Decision {
    Response response;
    std::string code;
    bool silent = false;  ///< close without an answer
  };

  bool exchange(Connection& connection);
  void exchange_control(Connection& connection, const HttpRequest& http, bool close);
  bool finish(Connection& connection, const Request& request, HttpBody& body, Decision decision, const Fault& fault, SteadyTime begun);
  Decision decide(Request& request, const Outcome<void>& routed, const Fault& fault);
  Decision refusal(const Request& request, const S3Error& error, int status) const;
  std::string common_headers(const std::string& request_id) const;

  Context& context_;
  Control& control_;
  Options options_;
};

}  // namespace prefixfs::devs3
