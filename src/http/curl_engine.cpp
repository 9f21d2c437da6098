#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "loop.h"
#include "origin.h"
#include "prefixfs/http/engine.h"

namespace prefixfs::http {
namespace {

class CurlEngine final : public Engine {
 public:
  explicit CurlEngine(const EngineOptions& options)
      : options_(std::make_shared<const EngineOptions>(options)), loop_(options.connections_per_host_max) {}

  Result<Response> perform(const Request& request, ResponseSink* sink, const CallContext& context) override;

 private:
  const std::shared_ptr<const EngineOptions> options_;
  Loop loop_;
};

Result<void> check_request(const Request& request) {
  static constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "PUT", "POST", "DELETE"};
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    return fail(Errc::invalid, fmt::format("the HTTP method \"{}\" is not supported", request.method));
  }
  if (request.body != nullptr && request.method != "PUT" && request.method != "POST") {
    return fail(Errc::invalid, fmt::format("a {} request has no body", request.method));
  }
  return {};
}

Result<Response> CurlEngine::perform(const Request& request, ResponseSink* sink, const CallContext& context) {
  TRY(check_request(request));
  TRY_ASSIGN(Origin origin, origin_of(request.url));
  if (context.cancel.stop_requested()) {
    return fail(Errc::cancelled, fmt::format("the request to {} was interrupted before it was sent", origin.text));
  }
  if (context.until() <= std::chrono::steady_clock::now()) {
    return fail(Errc::timeout, fmt::format("{}: the deadline passed before the request was sent", origin.text));
  }
  // The callback below may run while the engine is being destroyed: it must reach nothing but what it holds itself.
  const std::shared_ptr<Inbox> inbox = loop_.inbox();
  const auto transfer = std::make_shared<Transfer>(request, sink, context, std::move(origin), options_);
  if (!inbox->start(transfer)) {
    return fail(Errc::cancelled, fmt::format("the request to {} was ended by the shutdown", transfer->origin().text));
  }
  const std::stop_callback on_cancel(context.cancel, [&] { inbox->cancel(transfer); });
  return transfer->wait();
}

}  // namespace

std::unique_ptr<Engine> make_curl_engine(const EngineOptions& options) { return std::make_unique<CurlEngine>(options); }

}  // namespace prefixfs::http
