#pragma once
// What went wrong, as a decision (Errc) plus its evidence (Origin).

#include <cstdint>
#include <string>
#include <string_view>

namespace prefixfs {

/// Names decisions, not causes: each code asks something different of the caller.
/// The only table to errno is src/fuse/errno.cpp; the only table from S3 answers is src/s3/classify.cpp.
enum class Errc : std::uint8_t {
  not_found,      ///< the name, key, bucket or upload is not there
  exists,         ///< a name that must not exist does
  no_attribute,   ///< a file has no extended attribute of that name
  not_dir,
  is_dir,
  not_empty,
  denied,         ///< the credentials are known to S3 but lack the right
  read_only,      ///< the mount does not write
  not_permitted,  ///< the mount does not make such things (EPERM)
  conflict,       ///< a condition failed (412, 409): somebody else changed the object
  stale,          ///< the version this handle reads or writes is gone
  throttled,      ///< S3 asks for fewer requests (503 SlowDown, 429)
  unavailable,    ///< no answer or a 5xx: worth a retry
  timeout,        ///< the deadline passed
  credentials,    ///< missing, expired or refused credentials
  wrong_region,   ///< the bucket lives in another region than the one signed for
  no_space,
  too_large,      ///< larger than a limit of S3 or of the mount
  name_too_long,
  bad_name,       ///< a name that cannot be a key (not UTF-8)
  corrupt,        ///< bytes or records which fail their check
  cancelled,      ///< the caller was interrupted
  unsupported,    ///< the endpoint or the mount cannot do this
  invalid,        ///< a wrong argument
  past_end,       ///< there is nothing at the offset, or behind it
  busy,           ///< in use by somebody else
  cross_device,   ///< cannot be done in place; the caller copies instead (EXDEV)
  too_many_open,  ///< this process has no descriptor left
  io,             ///< a local file operation failed
  internal,       ///< a bug
};

/// The stable name used in log lines ("not_found").
std::string_view to_string(Errc code);

/// True where the same request may succeed later without anybody's help: throttled, unavailable, timeout.
bool retryable(Errc code);

/// The evidence from S3; empty where the error is local.
struct Origin {
  std::string operation;   ///< "PutObject"
  std::string key;
  int http_status = 0;     ///< 0: no answer
  std::string s3_code;     ///< "AccessDenied"
  /// The right that S3 names in "not authorized to perform: ..." ("s3:ListBucket", "kms:Decrypt"). Empty where it names none: AWS in
  /// refusals across accounts, most other servers, and every answer to HEAD, which has no body. A 403 to an operation on a key that
  /// names s3:ListBucket says that the key is absent; Errc is then not_found.
  std::string missing_right;
  std::string request_id;
  int attempt = 0;         ///< 1 for the first try
  int retry_after_seconds = 0;  ///< the answer's Retry-After; 0: none
  /// The request was sent before without an answer, by us or by libcurl when a reused connection had died (http::Response::attempts): a condition that
  /// failed may be the answer to one's own first try.
  bool sent_twice = false;
  bool not_sent = false;  ///< the request did not leave this host, so that it cannot have been acted upon
};

struct Error {
  Errc code = Errc::internal;
  std::string what;  ///< one sentence that names the thing and, where there is one, what to do
  Origin origin;
};

/// One line: code, sentence, and what is known of the origin. Holds no secret.
std::string describe(const Error& error);

}  // namespace prefixfs
