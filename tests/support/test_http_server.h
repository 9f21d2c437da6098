#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs::test {

/// A request as it came over the wire.
struct ReceivedRequest {
  std::string method;
  std::string target;                                         ///< path and query, byte for byte
  std::vector<std::pair<std::string, std::string>> headers;   ///< names in lower case
  std::string body;
  int connection = 0;  ///< 1 for the first connection of the server

  /// Empty where there is none.
  std::string header(std::string_view name) const;
  bool has_header(std::string_view name) const;
};

/// One accepted connection, in the hands of a script. One thread at a time.
class TestConnection {
 public:
  TestConnection(UniqueFd fd, int number) : fd_(std::move(fd)), number_(number) {}

  int number() const { return number_; }
  /// Request line and headers; nothing when the peer closed or sent nonsense.
  std::optional<ReceivedRequest> read_head();
  /// The next bytes, exactly so many; nothing when the peer closed before.
  std::optional<std::string> read_bytes(std::size_t count);
  /// Head and body by Content-Length; answers "100 Continue" where it is expected.
  std::optional<ReceivedRequest> read_request();
  bool send(std::string_view bytes);
  /// Until the peer closes or resets.
  void wait_closed();
  /// Closes with RST instead of FIN.
  void reset();
  /// Wakes whoever reads or writes; any thread.
  void shut_down();

 private:
  bool read_more();

  UniqueFd fd_;
  int number_;
  std::string buffer_;
};

/// A tiny HTTP/1.1 server on loopback that answers as the test says, wrong answers too. Each connection has a thread, which ends with
/// the script. Destruction closes all connections and waits for the scripts, so a script must not wait for anything but its connection
/// or something that is already certain.
class TestHttpServer {
 public:
  using Script = std::function<void(TestConnection&)>;
  using Handler = std::function<std::string(const ReceivedRequest&)>;

  explicit TestHttpServer(Script script);
  /// Keep-alive: `handler` makes the whole answer for each request; an empty one closes the connection.
  static Script answering(Handler handler);
  ~TestHttpServer();
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  int port() const { return port_; }
  std::string host() const;                            ///< "127.0.0.1:port"
  std::string url(std::string_view target) const;      ///< "http://127.0.0.1:port" + target
  int connections() const { return connections_; }     ///< accepted so far

 private:
  void accept_all();

  Script script_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::list<TestConnection> open_;
  std::list<std::jthread> threads_;
  std::jthread acceptor_;
};

/// "HTTP/1.1 200 OK", Content-Length and whatever `headers` says (each ended by CRLF).
std::string http_answer(int status, std::string_view body, std::string_view headers = "");
/// A port of 127.0.0.1 where nobody listens.
int free_port();

}  // namespace prefixfs::test
