#pragma once
// One HTTP request, one answer. Hides libcurl; knows nothing of AWS, XML or retries.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/body.h"
#include "prefixfs/base/call_context.h"
#include "prefixfs/base/result.h"

namespace prefixfs::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  ///< GET, HEAD, PUT, POST, DELETE
  std::string url;     ///< absolute, already percent-encoded; sent as it is (no dot segments are removed)
  std::vector<Header> headers;  ///< Content-Length, Transfer-Encoding and Expect are the engine's own and left out here
  const BodySource* body = nullptr;  ///< null: no body, no Content-Length but "0" for PUT and POST
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds first_byte_timeout{10000};  ///< from the end of the request to the status line
  /// The server is slow by nature: it may answer at once and then send a blank now and then while it works, as S3 does for
  /// CompleteMultipartUpload and copies. Any byte within a minute is progress, and the wait does not count for CallContext::moving.
  bool patient = false;
  bool bypass_proxy = false;  ///< metadata endpoints are never asked through a proxy
};

struct Response {
  int status = 0;
  std::vector<Header> headers;  ///< names in lower case
  std::string body;             ///< what was not given to a sink; at most 8 MiB
  bool reused_connection = false;
  /// 2: a reused connection died before the answer began, and the request was sent again (never a POST); the server may have acted on
  /// the first one, so that for example a 412 may be the answer to one's own first try.
  int attempts = 1;
  /// The first header of that name (lower case), or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
};

/// Receives the body of a 2xx answer; bodies of all other answers go to Response::body.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// Once, when the headers are there, for an empty body too; not for HEAD. An error ends the transfer with that error.
  virtual Result<void> begin(const Response& head) = 0;
  virtual Result<void> accept(std::span<const std::byte> data) = 0;
};

/// Thread-safe. `perform` blocks the caller; the transfers of all callers run on one loop thread and share a connection pool.
class Engine {
 public:
  virtual ~Engine() = default;
  /// `sink` may be null: then every body goes to Response::body. Sink and body are called on the loop thread.
  /// Errors: unavailable (resolve, connect, TLS handshake, reset, truncated or stalled body: the sentence says which, and names host and
  /// port), timeout (context.until(); its moving part is postponed while bytes move), cancelled, too_large (body over 8 MiB without a
  /// sink), invalid (a URL that is none, TLS set up wrongly: certificate not trusted; such errors are not worth a retry), or the sink's
  /// own error.
  virtual Result<Response> perform(const Request& request, ResponseSink* sink, const CallContext& context) = 0;
};

struct EngineOptions {
  std::size_t connections_per_host_max = 64;
  std::string ca_bundle;       ///< AWS_CA_BUNDLE; empty: the system's
  std::string user_agent = "prefixfs";
  std::uint64_t low_speed_bytes_per_second = 1024;  ///< slower than this for low_speed_time ends a transfer
  std::chrono::seconds low_speed_time{15};
};

/// Starts the loop thread. Call curl_global_init's equivalent happens inside, once.
std::unique_ptr<Engine> make_curl_engine(const EngineOptions& options);

}  // namespace prefixfs::http
