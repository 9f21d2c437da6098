#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "s3_client.h"

namespace prefixfs::s3 {

namespace {

Result<void> check_put(const Key& key, const BodySource& body) {
  if (key.empty()) {
    return fail(Errc::invalid, "PutObject needs a key");
  }
  if (body.size() > kSinglePutBytesMax) {
    return fail(Errc::too_large, fmt::format("PutObject of '{}': {} bytes are more than the 5 GiB of one request", key.str(), body.size()));
  }
  return {};
}

}  // namespace

Result<PutAnswer> S3Client::put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                                const CallContext& context) {
  TRY(check_put(key, body));
  ObjectHeaders wanted = headers;
  auto answer = put_described(key, body, wanted, condition, context);
  while (!answer && leaves_away(wanted, answer.error())) {
    answer = put_described(key, body, wanted, condition, context);
  }
  return answer;
}

bool S3Client::leaves_away(ObjectHeaders& headers, const Error& error) {
  if (lacks_tagging_right(headers, error)) {
    headers.tagging.clear();
    return true;
  }
  if (refuses_grants(headers.grants, error)) {
    headers.grants = {};
    return true;
  }
  return false;
}

/// Tags are a right of their own. The bytes are worth more than the tags, which whoever may set them can set again.
bool S3Client::lacks_tagging_right(const ObjectHeaders& headers, const Error& error) {
  if (headers.tagging.empty() || error.code != Errc::denied || error.origin.missing_right != "s3:PutObjectTagging") {
    return false;
  }
  exchange_.log().warn("'{}' is written without its tags ({}): the credentials lack the right s3:PutObjectTagging", error.origin.key,
                       headers.tagging);
  return true;
}

Result<PutAnswer> S3Client::put_described(const Key& key, const BodySource& body, const ObjectHeaders& headers,
                                          const WriteCondition& condition, const CallContext& context) {
  TRY_ASSIGN(Headers described, headers_to_write(headers));
  add_tagging(headers, described);
  add_known_grants(headers.grants, described);
  const bool with_crc = wants_crc();
  auto answer = put_once(key, body, described, condition, with_crc, context);
  if (!answer && with_crc && learn_from_refusal(answer.error())) {
    answer = put_once(key, body, described, condition, false, context);
  }
  if (!answer && condition.kind == WriteCondition::Kind::match && answer.error().code == Errc::not_found &&
      answer.error().origin.s3_code != "NoSuchBucket") {
    answer.error().code = Errc::conflict;  // If-Match on an object that is gone is answered with 404 (S3 API, PutObject)
  }
  return answer;
}

Result<PutAnswer> S3Client::put_once(const Key& key, const BodySource& body, const Headers& headers, const WriteCondition& condition,
                                     bool with_crc, const CallContext& context) {
  TRY_ASSIGN(const Digests digests, digest(body, with_crc, context));
  Call call{"PutObject", "PUT", key, {}, headers, &body, digests.sha256};
  call.headers.push_back(checksum_header(digests, with_crc));
  call.answer_timeout = std::chrono::seconds(30);
  TRY_ASSIGN(const http::Response response, send_conditional(call, condition, &Capabilities::conditional_put, context));
  PutAnswer answer;
  answer.etag = ETag::from_wire(response.header("etag").value_or(""));
  answer.version_id = std::string(response.header("x-amz-version-id").value_or(""));
  if (answer.etag.empty()) {
    return fail(Errc::corrupt, fmt::format("PutObject of '{}': the answer has no ETag", key.str()));
  }
  if (with_crc) {
    TRY_ASSIGN(answer.crc64nvme, compare_echo(call, digests.crc64nvme, response));
    const bool unknown = known().get(&Capabilities::crc64nvme) == Support::unknown;
    if (unknown) {  // an endpoint which does not repeat the checksum has not looked at it
      known().learn(&Capabilities::crc64nvme, answer.crc64nvme ? Support::yes : Support::no);
    }
  }
  if (condition.kind != WriteCondition::Kind::none) {
    prove_conditions(call, answer, context);
  }
  return answer;
}

}  // namespace prefixfs::s3
