#pragma once
// The rights an operation needs, in the words of the Service Authorization Reference.

#include "request.h"

namespace prefixfs::devs3 {

/// AccessDenied unless the caller has the right on the request's key (or bucket).
Outcome<void> require(const Request& request, std::string_view action);
Outcome<void> require_on(const Request& request, std::string_view action, std::string_view bucket, std::string_view key);
/// What a read of a missing key says: NoSuchKey to who may list the bucket, AccessDenied to all others.
std::unexpected<S3Error> missing_key(const Request& request, std::string_view bucket, std::string_view key);
/// PutObject and what goes with it: If-Match needs GetObject as well, tags need PutObjectTagging.
Outcome<void> require_write(const Request& request);
/// The bucket policy which demands x-amz-server-side-encryption on the request itself.
Outcome<void> require_encryption(const Request& request, const BucketRules* rules);
/// Abort and ListParts: the initiator of an upload may do both with PutObject alone
/// (S3 User Guide, "Multipart upload API and permissions").
Outcome<void> require_upload(const Request& request, std::string_view action, const Upload& upload);

}  // namespace prefixfs::devs3
