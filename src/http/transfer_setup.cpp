// How a Request becomes options of a libcurl handle.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "transfer.h"

namespace prefixfs::http {
namespace {

constexpr long kBodyBufferBytes = 256 * 1024;            ///< of the one way that a large body takes; 64 transfers stay below 20 MiB
constexpr long kOtherBufferBytes = 16 * 1024;            ///< of the other way
constexpr std::uint64_t kExpectFromBytes = 1024 * 1024;  ///< larger bodies wait for 100 Continue, so that a refusal costs no upload
constexpr long kExpectTimeoutMs = 500;
constexpr std::int64_t kConnectTimeoutMaxMs = 3'600'000;  ///< 0 would mean libcurl's own, a larger one may overflow there
constexpr int kUnsentBytesMax = 256 * 1024;
constexpr long kIdleConnectionSeconds = 15;  ///< S3 closes idle connections after about 20 s
constexpr long kDnsCacheSeconds = 20;        ///< S3 answers with changing addresses; a new look spreads the load

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// The framing of the message belongs to the engine.
bool is_engine_header(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ||
         equal_ignoring_case(name, "Expect");
}

/// RFC 9110, section 5.1: a token.
bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

bool is_header_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; });
}

bool append(HeaderList& list, const std::string& line) {
  curl_slist* const head = curl_slist_append(list.get(), line.c_str());
  if (head == nullptr) {
    return false;
  }
  static_cast<void>(list.release());
  list.reset(head);
  return true;
}

template <class Value>
void set(const EasyHandle& easy, CURLoption option, Value value) {
  curl_easy_setopt(easy.get(), option, value);
}

}  // namespace

/// The C side of the callbacks: finds the object, and turns pointers into spans.
struct TransferCallbacks {
  static std::size_t header(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->on_header({data, size * count});
  }
  static std::size_t body(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->on_body(std::as_bytes(std::span(data, size * count)));
  }
  static std::size_t read(char* out, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->on_read(std::as_writable_bytes(std::span(out, size * count)));
  }
  static int seek(void* self, curl_off_t offset, int whence) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    if (whence != SEEK_SET || offset < 0 || static_cast<std::uint64_t>(offset) > transfer.body_size_) {
      return CURL_SEEKFUNC_FAIL;
    }
    transfer.body_offset_ = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  /// The kernel would take megabytes at once, and the time to the first byte would begin while they are still on their way.
  static int new_socket(void*, curl_socket_t socket, curlsocktype) {
    ::setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytesMax, sizeof(kUnsentBytesMax));
    return CURL_SOCKOPT_OK;
  }
  static int before_request(void* self, char*, char*, int, int) {
    return static_cast<Transfer*>(self)->allow_attempt() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }
};

Result<void> Transfer::start(EasyHandle easy, BodyGather& gather, SteadyTime now) {
  easy_ = std::move(easy);
  gather_ = &gather;
  TRY(build_headers());
  set_connection_options();
  set_request_options();
  watch_ = ProgressWatch(limits(), now);
  return {};
}

Result<void> Transfer::build_headers() {
  bool complete = true;
  for (const Header& header : request_.headers) {
    if (!is_header_name(header.name) || !is_header_value(header.value)) {
      return fail(Errc::invalid, fmt::format("a request to {} has a header which cannot be sent", origin_.text));
    }
    if (!is_engine_header(header.name)) {
      // "Name;" is how libcurl is told to send a header without a value.
      complete = complete && append(headers_, header.value.empty() ? header.name + ";" : fmt::format("{}: {}", header.name, header.value));
    }
  }
  // libcurl itself expects 100 Continue for a PUT of any size, and repeats a request that was answered 417 without it; it could not do
  // so if the header were one of ours.
  if (body_size_ <= kExpectFromBytes) {
    complete = complete && append(headers_, "Expect:");
  }
  if (!complete) {
    return fail(Errc::internal, "out of memory");
  }
  return {};
}

void Transfer::set_request_options() {
  set(easy_, CURLOPT_URL, request_.url.c_str());
  set(easy_, CURLOPT_PATH_AS_IS, 1L);
  set(easy_, CURLOPT_HTTPHEADER, headers_.get());
  if (request_.method == "HEAD") {
    set(easy_, CURLOPT_NOBODY, 1L);
  } else if (request_.method == "PUT" || request_.method == "POST") {
    // A POST goes the way of an upload too: then libcurl sends "Content-Length: 0" for no body, and reads the body piece by piece.
    set(easy_, CURLOPT_UPLOAD, 1L);
    set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_size_));
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    set(easy_, CURLOPT_EXPECT_100_TIMEOUT_MS, kExpectTimeoutMs);
  } else if (request_.method != "GET") {
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  set(easy_, CURLOPT_HEADERFUNCTION, &TransferCallbacks::header);
  set(easy_, CURLOPT_HEADERDATA, this);
  set(easy_, CURLOPT_WRITEFUNCTION, &TransferCallbacks::body);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_READFUNCTION, &TransferCallbacks::read);
  set(easy_, CURLOPT_READDATA, this);
  set(easy_, CURLOPT_SEEKFUNCTION, &TransferCallbacks::seek);
  set(easy_, CURLOPT_SEEKDATA, this);
  set(easy_, CURLOPT_PREREQFUNCTION, &TransferCallbacks::before_request);
  set(easy_, CURLOPT_PREREQDATA, this);
  set(easy_, CURLOPT_PRIVATE, this);
  set(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
}

void Transfer::set_connection_options() {
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_USERAGENT, options_->user_agent.c_str());
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_QUICK_EXIT, 1L);  // else giving up a name that does not resolve would block the loop until the resolver does
  const std::int64_t connect_timeout = std::clamp<std::int64_t>(request_.connect_timeout.count(), 1, kConnectTimeoutMaxMs);
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout));
  set(easy_, CURLOPT_SOCKOPTFUNCTION, &TransferCallbacks::new_socket);
  set(easy_, CURLOPT_TCP_NODELAY, 1L);
  set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy_, CURLOPT_MAXAGE_CONN, kIdleConnectionSeconds);
  set(easy_, CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  set(easy_, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
  set(easy_, CURLOPT_BUFFERSIZE, has_body() ? kOtherBufferBytes : kBodyBufferBytes);
  set(easy_, CURLOPT_UPLOAD_BUFFERSIZE, has_body() ? kBodyBufferBytes : kOtherBufferBytes);
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!options_->ca_bundle.empty()) {
    set(easy_, CURLOPT_CAINFO, options_->ca_bundle.c_str());
  }
  if (request_.bypass_proxy) {
    set(easy_, CURLOPT_NOPROXY, "*");
  }
}

}  // namespace prefixfs::http
