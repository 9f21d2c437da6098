#include "classify.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace prefixfs::s3 {

namespace {

/// One line of the table: what a code means for the caller, and what to tell the user.
struct Row {
  std::string_view s3_code;
  Errc code;
  std::string_view advice;
};

// Source: S3 API Reference, "Error responses", "List of error codes"; AWS KMS API for KMS.*.
constexpr std::array kByCode{
    // The thing is not there.
    Row{"NoSuchKey", Errc::not_found, "there is no such object"},
    Row{"NoSuchVersion", Errc::not_found, "there is no such version of the object"},
    Row{"NoSuchUpload", Errc::not_found, "the multipart upload has been completed, aborted or has expired"},
    Row{"NoSuchBucket", Errc::not_found, "the bucket does not exist; check the name, the region and the endpoint"},
    // The caller may not.
    Row{"AccessDenied", Errc::denied, "access denied; a policy must allow this"},
    Row{"AllAccessDisabled", Errc::denied, "all access to this bucket has been disabled; ask its owner"},
    Row{"AccountProblem", Errc::denied, "there is a problem with the AWS account; contact AWS support"},
    Row{"NotSignedUp", Errc::denied, "the account is not signed up for S3"},
    Row{"MethodNotAllowed", Errc::denied, "the method is not allowed on this object (a delete marker, or a locked object)"},
    Row{"InvalidPayer", Errc::denied, "the requester has to pay for this bucket, which prefixfs does not offer"},
    Row{"KMS.DisabledException", Errc::denied, "the KMS key is disabled; enable it or choose another with sse="},
    Row{"KMS.NotFoundException", Errc::denied, "the KMS key does not exist; check sse="},
    Row{"KMS.InvalidStateException", Errc::denied, "the KMS key is in a state that does not allow its use"},
    Row{"KMS.KMSInvalidStateException", Errc::denied, "the KMS key is in a state that does not allow its use"},
    Row{"KMS.InvalidKeyUsageException", Errc::denied, "the KMS key is not made for encryption; check sse="},
    Row{"KMS.AccessDeniedException", Errc::denied, "the KMS key does not allow this; kms:GenerateDataKey and kms:Decrypt are needed"},
    // The caller is not who it says.
    Row{"InvalidAccessKeyId", Errc::credentials, "the access key id is not known to the endpoint; check the credentials"},
    Row{"SignatureDoesNotMatch", Errc::credentials, "the secret access key does not fit the access key id; check the credentials"},
    Row{"ExpiredToken", Errc::credentials, "the session token has expired; the credentials must be renewed"},
    Row{"ExpiredTokenException", Errc::credentials, "the session token has expired; the credentials must be renewed"},
    Row{"TokenRefreshRequired", Errc::credentials, "the session token must be renewed"},
    Row{"InvalidToken", Errc::credentials, "the session token is not valid; the credentials must be renewed"},
    Row{"InvalidSecurity", Errc::credentials, "the credentials are not valid"},
    Row{"CredentialsNotSupported", Errc::credentials, "the endpoint does not take credentials here"},
    Row{"MissingSecurityHeader", Errc::credentials, "the endpoint misses a security header"},
    Row{"MissingAuthenticationToken", Errc::credentials, "the endpoint wants a signed request"},
    Row{"RequestTimeTooSkewed", Errc::credentials, "the clock of this host is wrong; set it (for example with timedatectl set-ntp true)"},
    Row{"RequestExpired", Errc::credentials, "the request arrived too late; check the clock of this host"},
    // The wrong place.
    Row{"PermanentRedirect", Errc::wrong_region, "the bucket is in another region"},
    Row{"TemporaryRedirect", Errc::wrong_region, "the bucket is in another region"},
    Row{"Redirect", Errc::wrong_region, "the bucket is in another region"},
    Row{"IllegalLocationConstraintException", Errc::wrong_region, "the bucket is in another region"},
    // Somebody else was faster.
    Row{"PreconditionFailed", Errc::conflict, "another client has changed the object"},
    Row{"ConditionalRequestConflict", Errc::conflict, "another client is changing the object at this moment"},
    Row{"RestoreAlreadyInProgress", Errc::conflict, "the object is being restored already"},
    Row{"OperationAborted", Errc::conflict, "another operation on the bucket is under way"},
    // Later.
    Row{"SlowDown", Errc::throttled, "S3 asks for fewer requests"},
    Row{"ServiceUnavailable", Errc::throttled, "S3 is overloaded"},
    Row{"TooManyRequests", Errc::throttled, "the endpoint asks for fewer requests"},
    Row{"RequestLimitExceeded", Errc::throttled, "the endpoint asks for fewer requests"},
    Row{"Throttling", Errc::throttled, "the endpoint asks for fewer requests"},
    Row{"ThrottlingException", Errc::throttled, "the endpoint asks for fewer requests"},
    Row{"RequestThrottled", Errc::throttled, "the endpoint asks for fewer requests"},
    Row{"BandwidthLimitExceeded", Errc::throttled, "the endpoint asks for less traffic"},
    Row{"SlowDownRead", Errc::throttled, "the endpoint asks for fewer reads"},
    Row{"SlowDownWrite", Errc::throttled, "the endpoint asks for fewer writes"},
    Row{"KMS.ThrottlingException", Errc::throttled, "KMS asks for fewer requests; an S3 Bucket Key lowers their number"},
    Row{"KMS.KMSInternalException", Errc::unavailable, "KMS had an internal error"},
    Row{"KMS.DependencyTimeoutException", Errc::unavailable, "KMS did not answer in time"},
    Row{"InternalError", Errc::unavailable, "S3 had an internal error"},
    Row{"RequestTimeout", Errc::unavailable, "the body did not reach S3 in time"},
    Row{"RequestTimeoutException", Errc::unavailable, "the body did not reach S3 in time"},
    Row{"IncompleteBody", Errc::unavailable, "the body did not reach S3 whole"},
    Row{"BadDigest", Errc::unavailable, "the body was damaged on its way to S3"},
    Row{"XAmzContentSHA256Mismatch", Errc::unavailable, "the body was damaged on its way to S3"},
    Row{"XAmzContentChecksumMismatch", Errc::unavailable, "the body was damaged on its way to S3"},
    Row{"ServerNotInitialized", Errc::unavailable, "the endpoint is still starting"},
    // Too much.
    Row{"EntityTooLarge", Errc::too_large, "the object or part is larger than S3 allows"},
    Row{"MaxMessageLengthExceeded", Errc::too_large, "the request is larger than S3 allows"},
    Row{"MetadataTooLarge", Errc::too_large, "the user metadata exceeds 2 KiB"},
    Row{"KeyTooLongError", Errc::name_too_long, "the key is longer than 1024 bytes"},
    Row{"QuotaExceeded", Errc::no_space, "the quota of the bucket or the account is used up"},
    Row{"XMinioStorageFull", Errc::no_space, "the endpoint's disk is full"},
    Row{"XMinioAdminBucketQuotaExceeded", Errc::no_space, "the quota of the bucket is used up"},
    // Not here.
    Row{"InvalidObjectState", Errc::unsupported, "the object is archived; restore it first: prefixfs restore MOUNTPOINT PATH"},
    Row{"GlacierExpeditedRetrievalNotAvailable", Errc::unsupported, "S3 cannot restore at that speed now; take --tier Standard"},
    Row{"AccessControlListNotSupported", Errc::unsupported, "the bucket has no ACLs"},
    Row{"NotImplemented", Errc::unsupported, "the endpoint cannot do this"},
    Row{"InvalidStorageClass", Errc::unsupported, "the endpoint does not know this storage class; check storage_class="},
    Row{"InvalidEncryptionAlgorithmError", Errc::unsupported, "the endpoint does not know this encryption; check sse="},
    Row{"ServerSideEncryptionConfigurationNotFoundError", Errc::unsupported, "the endpoint has no encryption set up; use sse=none"},
    Row{"InvalidBucketName", Errc::invalid, "the bucket name is not valid"},
    Row{"InvalidRange", Errc::invalid, "the range lies beyond the end of the object"},
};

/// For answers without a code of the table.
Errc by_status(int status) {
  switch (status) {
    case 301: case 302: case 307: case 308: return Errc::wrong_region;
    case 401: return Errc::credentials;
    case 403: return Errc::denied;
    case 404: case 410: return Errc::not_found;
    case 405: case 501: return Errc::unsupported;
    case 408: case 425: case 500: case 502: case 504: return Errc::unavailable;
    case 409: case 412: return Errc::conflict;
    case 413: return Errc::too_large;
    case 429: case 503: return Errc::throttled;
    case 507: return Errc::no_space;
    case 200: return Errc::unavailable;  // an error document in a 200 answer, with a code that is not in the table
    default: return status >= 500 ? Errc::unavailable : Errc::invalid;
  }
}

/// S3's words, cut and cleaned: they go into log lines.
std::string quote(std::string_view message) {
  std::string clean(message.substr(0, 300));
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

struct Verdict {
  Errc code;
  std::string advice;
};

Verdict judge_region(const Refusal& refusal) {
  if (refusal.region.empty()) {
    return {Errc::wrong_region, "the bucket is in another region, and the endpoint does not say in which; set region="};
  }
  if (!refusal.fixed_endpoint.empty() && is_redirect(refusal)) {
    return {Errc::wrong_region, fmt::format("endpoint {} does not serve bucket {}, which is in {}; change endpoint=", refusal.fixed_endpoint,
                                            refusal.bucket, refusal.region)};
  }
  if (refusal.region == refusal.signed_for) {
    return {Errc::unavailable,
            fmt::format("the endpoint redirects within region {}; a bucket that was just made needs some time", refusal.region)};
  }
  return {Errc::wrong_region, fmt::format("bucket {} is in {}, not {}", refusal.bucket, refusal.region, refusal.signed_for)};
}

Verdict judge_denied(const Refusal& refusal) {
  const std::string right = missing_right(refusal.message);
  // AWS names the right which was missing: for an object that is there it would be s3:GetObject or the like. See GetObject, "Permissions":
  // without s3:ListBucket an absent key is 403. The same is said of an absent source of a copy and of an absent object under If-Match.
  if (!refusal.key.empty() && right == "s3:ListBucket") {
    return {Errc::not_found, "there is no such object (S3 says so with 403, because the credentials lack s3:ListBucket)"};
  }
  if (!right.empty()) {
    return {Errc::denied, fmt::format("the credentials lack the right {}", right)};
  }
  return {Errc::denied, "access denied; a policy must allow this"};
}

Verdict judge(const Refusal& refusal) {
  if (refusal.s3_code == "AccessDenied") {
    return judge_denied(refusal);
  }
  if (refusal.s3_code == "AuthorizationHeaderMalformed") {  // a wrong region, or keys that are none
    if (refusal.region.empty()) {
      return {Errc::credentials, "the endpoint cannot read the credentials; check the access key id and region="};
    }
    return judge_region(refusal);
  }
  const auto row = std::find_if(kByCode.begin(), kByCode.end(), [&](const Row& r) { return r.s3_code == refusal.s3_code; });
  const Errc code = row == kByCode.end() ? by_status(refusal.http_status) : row->code;
  if (code == Errc::wrong_region) {
    return judge_region(refusal);
  }
  if (row != kByCode.end()) {
    return {code, std::string(row->advice)};
  }
  // A HEAD answer has no code. A 400 that names another region is AuthorizationHeaderMalformed.
  if (refusal.http_status == 400 && refusal.s3_code.empty() && !refusal.region.empty() && refusal.region != refusal.signed_for) {
    return judge_region(refusal);
  }
  const std::string said = refusal.s3_code.empty() ? "" : " " + quote(refusal.s3_code);
  return {code, fmt::format("the endpoint answered {}{}", refusal.http_status, said)};
}

}  // namespace

bool is_redirect(const Refusal& refusal) {
  return refusal.http_status == 301 || refusal.http_status == 308 || refusal.s3_code == "PermanentRedirect";
}

std::string missing_right(std::string_view message) {
  constexpr std::string_view kBefore = "not authorized to perform: ";
  const std::size_t at = message.find(kBefore);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = message.substr(at + kBefore.size());
  constexpr std::string_view kRightChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-";
  return std::string(rest.substr(0, rest.find_first_not_of(kRightChars)));
}

Error classify(const Refusal& refusal) {
  const Verdict verdict = judge(refusal);
  Error error;
  error.code = verdict.code;
  const std::string thing = refusal.key.empty() ? fmt::format("bucket {}", refusal.bucket)
                                                : fmt::format("s3://{}/{}", refusal.bucket, refusal.key);
  error.what = fmt::format("{} of {}: {}", refusal.operation, thing, verdict.advice);
  if (!refusal.message.empty()) {
    error.what += fmt::format(" (S3: {})", quote(refusal.message));
  }
  error.origin.operation = refusal.operation;
  error.origin.key = refusal.key;
  error.origin.http_status = refusal.http_status;
  error.origin.s3_code = quote(refusal.s3_code);
  error.origin.missing_right = missing_right(refusal.message);
  error.origin.request_id = quote(refusal.request_id);
  error.origin.attempt = 1;
  error.origin.retry_after_seconds = refusal.retry_after_seconds;
  return error;
}

}  // namespace prefixfs::s3
