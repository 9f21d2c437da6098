#pragma once
// The one field in which s3fs keeps all extended attributes of a file: a percent-encoded JSON object of names and base64 values.
// https://github.com/s3fs-fuse/s3fs-fuse, x-amz-meta-xattr.

#include <map>
#include <string>
#include <string_view>

namespace prefixfs::vfs {

/// By full names ("user.author").
using S3fsXattrs = std::map<std::string, std::string, std::less<>>;

/// Empty when it cannot be read. A value that is no base64 is left out.
S3fsXattrs parse_s3fs_xattrs(std::string_view field);
std::string format_s3fs_xattrs(const S3fsXattrs& xattrs);

}  // namespace prefixfs::vfs
