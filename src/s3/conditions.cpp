// Conditions on writes, and what stands in for them on an endpoint which ignores or refuses them.

#include <fmt/format.h>

#include "s3_client.h"

namespace prefixfs::s3 {

namespace {

using Kind = WriteCondition::Kind;

constexpr std::uint64_t kProofBytesMax = 8U << 20;

http::Header header_of(const WriteCondition& condition) {
  return condition.kind == Kind::absent ? http::Header{"if-none-match", "*"} : http::Header{"if-match", condition.etag.quoted()};
}

}  // namespace

std::unexpected<Error> S3Client::conflict(std::string_view operation, const Key& key, std::string_view why) const {
  Error error{Errc::conflict, fmt::format("{} of s3://{}/{}: {}", operation, options_.bucket, key.str(), why), {}};
  error.origin.operation = operation;
  error.origin.key = key.str();
  error.origin.http_status = 412;
  error.origin.s3_code = "PreconditionFailed";
  error.origin.attempt = 1;
  return fail(std::move(error));
}

Result<void> S3Client::check_condition(const char* operation, const Key& key, const WriteCondition& condition, const CallContext& context) {
  if (condition.kind == Kind::none) {
    return {};
  }
  auto info = head(key, context);
  if (!info && info.error().code == Errc::not_found && info.error().origin.s3_code != "NoSuchBucket") {
    return condition.kind == Kind::absent ? Result<void>() : conflict(operation, key, "the object is gone");
  }
  if (!info && info.error().code == Errc::denied && condition.kind == Kind::absent) {
    return {};  // without s3:ListBucket an absent object looks like this
  }
  if (!info) {
    return fail(std::move(info.error()));
  }
  if (condition.kind == Kind::absent) {
    return conflict(operation, key, "the object is there already");
  }
  return info->etag == condition.etag ? Result<void>() : conflict(operation, key, "another client has changed the object");
}

Result<http::Response> S3Client::send_conditional(Call call, const WriteCondition& condition, CapabilityBook::Field honours,
                                                  const CallContext& context) {
  if (condition.kind == Kind::none) {
    return exchange_.send(call, nullptr, context);
  }
  const Support support = known().get(honours);
  if (support != Support::yes) {
    TRY(check_condition(call.operation.c_str(), call.key, condition, context));
  }
  Call with_header = call;
  with_header.headers.push_back(header_of(condition));
  auto response = exchange_.send(with_header, nullptr, context);
  if (response || support == Support::yes) {
    return response;
  }
  if (response.error().origin.http_status == 501) {  // Google and older Ceph: the header "implies functionality that is not implemented"
    known().learn(honours, Support::no);
    return exchange_.send(call, nullptr, context);
  }
  return response;
}

/// Leaves nothing in the bucket and risks nothing: an endpoint that ignores the header stores the same bytes once more.
void S3Client::prove_conditions(Call call, PutAnswer& answer, const CallContext& context) {
  if (known().get(&Capabilities::conditional_put) != Support::unknown || (call.body != nullptr && call.body->size() > kProofBytesMax)) {
    return;
  }
  call.headers.push_back(header_of(WriteCondition::if_absent()));
  call.accept = {412};
  const auto again = exchange_.send(call, nullptr, context);
  if (!again) {
    return;  // learnt nothing; the next conditional write tries anew
  }
  known().learn(&Capabilities::conditional_put, again->status == 412 ? Support::yes : Support::no);
  if (again->status != 412) {
    answer.etag = ETag::from_wire(again->header("etag").value_or(answer.etag.quoted()));
    answer.version_id = std::string(again->header("x-amz-version-id").value_or(""));
  }
}

}  // namespace prefixfs::s3
