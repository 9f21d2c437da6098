#include "rights.h"

#include "acl.h"

namespace prefixfs::devs3 {

Outcome<void> require_on(const Request& request, std::string_view action, std::string_view bucket, std::string_view key) {
  if (!is_allowed(*request.who, action, bucket, key)) {
    return access_denied(*request.who, action, bucket, key);
  }
  return {};
}

Outcome<void> require(const Request& request, std::string_view action) {
  return require_on(request, action, request.bucket, request.key);
}

std::unexpected<S3Error> missing_key(const Request& request, std::string_view bucket, std::string_view key) {
  if (!may_list(*request.who, bucket, std::nullopt)) {
    return access_denied(*request.who, "s3:ListBucket", bucket, "");
  }
  return no_such_key(key);
}

Outcome<void> require_write(const Request& request) {
  S3_TRY(require(request, "s3:PutObject"));
  if (request.http.headers.has("if-match")) {
    S3_TRY(require(request, "s3:GetObject"));
  }
  if (request.http.headers.has("x-amz-tagging")) {
    S3_TRY(require(request, "s3:PutObjectTagging"));
  }
  if (says_acl(request)) {
    S3_TRY(require(request, "s3:PutObjectAcl"));
  }
  return {};
}

Outcome<void> require_encryption(const Request& request, const BucketRules* rules) {
  if (rules != nullptr && !rules->require_sse.empty() && request.header("x-amz-server-side-encryption") != rules->require_sse) {
    return explicit_deny(*request.who, "s3:PutObject", request.bucket, request.key);
  }
  return {};
}

Outcome<void> require_upload(const Request& request, std::string_view action, const Upload& upload) {
  if (upload.initiator == request.who->access && is_allowed(*request.who, "s3:PutObject", request.bucket, request.key)) {
    return {};
  }
  return require(request, action);
}

}  // namespace prefixfs::devs3
