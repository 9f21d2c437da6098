#pragma once
// Conditional requests (RFC 9110, 13; S3 User Guide, "Conditional requests").

#include "http_message.h"
#include "object.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

enum class ReadVerdict { send, not_modified };

/// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since of a GET or HEAD. PreconditionFailed.
Outcome<ReadVerdict> check_read(const Headers& headers, const Object& object);

/// If-None-Match: * and If-Match of a write. `present` is null where there is no object: then If-Match is NoSuchKey.
/// Anything but "*" in If-None-Match is NotImplemented, as on S3.
Outcome<void> check_write(const Headers& headers, std::string_view key, const Object* present);

/// If-Match of a delete: an ETag (NoSuchKey where there is no object) or "*" (PreconditionFailed there).
Outcome<void> check_delete(std::string_view if_match, std::string_view key, const Object* present);

/// x-amz-copy-source-if-*. PreconditionFailed.
Outcome<void> check_copy_source(const Headers& headers, const Object& source);

/// Whether one of the ETags in a header's list is this one; "*" is any.
bool etag_matches(std::string_view list, std::string_view etag);

}  // namespace prefixfs::devs3
