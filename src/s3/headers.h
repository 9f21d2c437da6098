#pragma once
// Object attributes as HTTP headers, in both directions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/http/engine.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

using Headers = std::vector<http::Header>;

/// Content-Type and the like, and x-amz-meta-*. Errors: invalid (a name or a value that is not printable ASCII, or which HTTP would
/// not carry unchanged: callers encode such values), too_large (more than kUserMetadataBytesMax).
Result<Headers> describe_object(const ObjectHeaders& headers);

/// Tags are said when an object is written, not when it is copied.
void add_tagging(const ObjectHeaders& headers, Headers& out);
/// x-amz-grant-*, when it is written and when it is copied.
void add_grants(const Grants& grants, Headers& out);

/// SSE and storage class. Only for PutObject, CreateMultipartUpload and CopyObject: the other operations reject them. Errors: invalid.
Result<Headers> storage_headers(const std::string& sse, const std::string& storage_class, const StorageChoice& own = {});

/// What HEAD and GET say of an object. `size` is the whole object's, from Content-Range where there is one.
/// Errors: corrupt (no ETag, no usable length).
Result<ObjectInfo> read_object_info(const Key& key, const http::Response& response);

/// "bytes 0-9/100"
struct ContentRange {
  ByteRange range;
  std::uint64_t size = 0;
};
std::optional<ContentRange> parse_content_range(std::string_view text);
/// Decimal digits only, nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace prefixfs::s3
