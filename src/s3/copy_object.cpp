// CopyObject and UploadPartCopy: the two that read one object and write another.

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"
#include "s3_client.h"

namespace prefixfs::s3 {

namespace {

using Kind = WriteCondition::Kind;

void add_source(Call& call, const std::string& location, const CopySource& source) {
  call.headers.push_back({"x-amz-copy-source", location});
  if (!source.if_match.empty()) {
    call.headers.push_back({"x-amz-copy-source-if-match", source.if_match.quoted()});
  }
}

/// A copy that takes long is answered with 200 at once; what became of it stands in the body (S3 API, CopyObject).
Result<CopyResult> read_copy(const Exchange& exchange, const Call& call, const http::Response& response) {
  if (read_error_document(response.body)) {
    return fail(exchange.error_of(call, response));
  }
  auto result = read_copy_result(response.body);
  if (!result) {  // cut off, perhaps: nobody knows what became of it
    Error error = exchange.error_of(call, response);
    error.code = Errc::unavailable;
    error.what = fmt::format("{} of '{}': {}", call.operation, call.key.str(), result.error().what);
    return fail(std::move(error));
  }
  return result;
}

}  // namespace

Result<CopyAnswer> S3Client::copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                                  const CallContext& context) {
  if (source.key.empty() || destination.empty()) {
    return fail(Errc::invalid, "CopyObject needs a source and a destination");
  }
  auto copied = copy_granted(source, destination, options, context);
  if (!copied && refuses_grants(options.grants, copied.error())) {
    CopyOptions without = options;
    without.grants = {};
    copied = copy_granted(source, destination, without, context);
  }
  return copied;
}

Result<CopyAnswer> S3Client::copy_granted(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context) {
  Call call{"CopyObject", "PUT", destination};
  call.answer_timeout = std::chrono::seconds(120);
  call.patient = true;
  add_source(call, copy_source(source.key), source);
  TRY_ASSIGN(const Headers written, headers_to_write(options.replace.value_or(ObjectHeaders{.storage = options.storage})));
  call.headers.insert(call.headers.end(), written.begin(), written.end());
  call.headers.push_back({"x-amz-metadata-directive", options.replace ? "REPLACE" : "COPY"});
  if (options.replace && options.own_tags) {
    call.headers.push_back({"x-amz-tagging-directive", "REPLACE"});
    add_tagging(*options.replace, call.headers);
  }
  add_known_grants(options.grants, call.headers);
  const auto response = send_conditional(call, options.condition, &Capabilities::conditional_copy, context);
  if (!response && response.error().code == Errc::not_found && options.condition.kind == Kind::match) {
    TRY(check_condition("CopyObject", destination, options.condition, context));  // 404 is said of either of the two
  }
  if (!response) {
    return fail(response.error());
  }
  TRY_ASSIGN(CopyResult result, read_copy(exchange_, call, *response));
  if (options.condition.kind == Kind::absent) {
    prove_conditional_copy(std::move(call), source, result, context);
  }
  return CopyAnswer{result.etag, result.last_modified};
}

/// As prove_conditions(): an endpoint that ignores the header makes the same copy once more. The other condition must not be what it means.
void S3Client::prove_conditional_copy(Call call, const CopySource& source, CopyResult& copied, const CallContext& context) {
  if (known().get(&Capabilities::conditional_copy) != Support::unknown) {
    return;
  }
  call.headers.push_back({"if-none-match", "*"});
  call.accept = {412};
  const auto again = exchange_.send(call, nullptr, context);
  if (!again) {
    return;
  }
  if (again->status != 412) {
    const auto result = read_copy(exchange_, call, *again);
    copied = result.value_or(copied);
    known().learn(&Capabilities::conditional_copy, Support::no);
    return;
  }
  const auto from = head(source.key, context);
  if (from && from->etag == source.if_match) {
    known().learn(&Capabilities::conditional_copy, Support::yes);
  }
}

Result<UploadedPart> S3Client::upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source,
                                                ByteRange range, const CallContext& context) {
  if (number < 1 || number > kPartsMax || range.empty()) {
    return fail(Errc::invalid, fmt::format("UploadPartCopy of '{}': part {} with {} bytes", key.str(), number, range.length()));
  }
  Call call{"UploadPartCopy", "PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", upload}}};
  call.answer_timeout = std::chrono::seconds(120);
  call.patient = true;
  add_source(call, copy_source(source.key), source);
  call.headers.push_back({"x-amz-copy-source-range", fmt::format("bytes={}-{}", range.begin, range.end - 1)});
  const auto response = exchange_.send(call, nullptr, context);
  if (!response) {
    if (response.error().origin.http_status == 501) {
      known().learn(&Capabilities::part_copy, Support::no);
    }
    return fail(response.error());
  }
  TRY_ASSIGN(const CopyResult result, read_copy(exchange_, call, *response));
  if (known().get(&Capabilities::part_copy) == Support::unknown) {
    known().learn(&Capabilities::part_copy, Support::yes);
  }
  const auto crc = known().multipart_checksums() ? result.crc64nvme : std::nullopt;
  return UploadedPart{number, result.etag, range.length(), crc};
}

}  // namespace prefixfs::s3
