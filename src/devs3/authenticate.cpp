#include "authenticate.h"

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

std::unexpected<S3Error> anonymous(const Context& context, const Request& request) {
  S3Error error{403, "AccessDenied", "Access Denied", {}, {}};
  // Even a stranger learns where a bucket is: clients find the region in this way.
  if (const auto bucket = context.store.bucket(request.bucket); bucket && request.operation == Operation::head_bucket) {
    error.headers.push_back({"x-amz-bucket-region", (*bucket)->info().region});
  }
  return refuse(std::move(error));
}

/// A bucket at home in the endpoint's region wants that region in the scope; one in another region redirects.
Outcome<void> check_region(const Context& context, const Request& request) {
  const auto& scope = request.authentication.region;
  const auto bucket = context.store.bucket(request.bucket);
  const auto region = bucket ? (*bucket)->info().region : context.region;
  if (scope == region) {
    return {};
  }
  if (region != context.region) {
    return refuse(S3Error{301, "PermanentRedirect",
                          "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future "
                          "requests to this endpoint.",
                          {{"Endpoint", request.header("host")}, {"Bucket", request.bucket}}, {{"x-amz-bucket-region", region}}});
  }
  S3Error error{400, "AuthorizationHeaderMalformed",
                fmt::format("The authorization header is malformed; the region '{}' is wrong; expecting '{}'", scope, region),
                {{"Region", region}}, {}};
  if (bucket) {
    error.headers.push_back({"x-amz-bucket-region", region});
  }
  return refuse(std::move(error));
}

}  // namespace

Outcome<void> authenticate(Context& context, Request& request, bool allow_unsigned_payload) {
  S3_TRY_ASSIGN(auto parsed, parse_authentication(request.http));
  if (!parsed) {
    return anonymous(context, request);
  }
  request.authentication = std::move(*parsed);
  const auto& authentication = request.authentication;
  S3_TRY(check_region(context, request));
  S3_TRY_ASSIGN(const auto* who, context.access.identify(authentication, context.clock.now()));
  S3_TRY(check_time(authentication, context.clock.now()));
  S3_TRY(check_signature(request.http, authentication, who->secret));
  const bool is_unsigned = authentication.payload == kUnsignedPayload || authentication.payload.starts_with("STREAMING-UNSIGNED");
  if (is_unsigned && !authentication.presigned && !allow_unsigned_payload) {
    return invalid_request("Over plain http devs3 wants the body's SHA-256 in x-amz-content-sha256: nothing else protects it. "
                           "(Start devs3 with --allow-unsigned-payload to lift this.)");
  }
  request.who = who;
  return {};
}

}  // namespace prefixfs::devs3
