#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "access.h"
#include "control.h"
#include "faults.h"
#include "listener.h"
#include "object_store.h"
#include "operations.h"
#include "prefixfs/base/random.h"
#include "request_log.h"
#include "server.h"
#include "shifted_clock.h"

namespace prefixfs::devs3 {

struct Settings {
  std::filesystem::path root;
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string region = "us-east-1";
  std::vector<AccessKey> keys;
  std::vector<BucketRules> buckets;  ///< made at start where they are missing
  std::vector<FaultRule> rules;
  std::chrono::milliseconds latency{};
  std::filesystem::path log_file;  ///< empty: none
  bool allow_unsigned_payload = false;
  bool control = false;
};

/// A running endpoint: everything put together. Its destruction stops it.
class Endpoint {
 public:
  static Result<std::unique_ptr<Endpoint>> start(Settings settings);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  std::uint16_t port() const { return listener_->port(); }
  Control& control() { return control_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, CloseFile>;

  Endpoint(Settings settings, std::unique_ptr<ShiftedClock> clock, std::unique_ptr<ObjectStore> store, File log_file,
           std::unique_ptr<Listener> listener);
  Result<void> make_buckets(const std::vector<BucketRules>& buckets);

  std::unique_ptr<ShiftedClock> clock_;
  SystemRandom random_;
  std::unique_ptr<ObjectStore> store_;
  Access access_;
  Faults faults_;
  File log_file_;
  RequestLog log_;
  Context context_;
  Control control_;
  Server server_;
  std::unique_ptr<Listener> listener_;
  std::jthread accepting_;
};

}  // namespace prefixfs::devs3
