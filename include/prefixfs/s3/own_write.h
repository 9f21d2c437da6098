#pragma once
// After a write whose answer was lost: is what stands there now ours?

#include <optional>
#include <span>
#include <string>

#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

/// Whether a failed write may have taken place all the same: no answer, a gateway's, or an internal error half-way.
bool is_unclear(const Error& error);

/// Errors: those of the body.
Result<bool> is_body(const ObjectInfo& info, const BodySource& body, const ObjectHeaders& headers, const CallContext& context);
bool is_assembled(const ObjectInfo& info, std::span<const UploadedPart> parts);
bool is_copy(const ObjectInfo& info, const ObjectInfo& source, const std::optional<ObjectHeaders>& replace);

/// "md5-of-the-md5s-N"; empty where a part's ETag is no MD5 (KMS).
std::string multipart_etag(std::span<const UploadedPart> parts);

}  // namespace prefixfs::s3
