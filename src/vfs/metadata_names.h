#pragma once
// The names in user metadata that have a meaning of their own.

#include <algorithm>
#include <array>
#include <string_view>

namespace prefixfs::vfs {

/// What the dialects call the attributes that we store; a rewrite replaces all of them, so that two dialects never disagree. s3fs's ctime is among
/// them though we store none: an old one would say that nothing has changed, and without one s3fs shows when the object was stored.
inline constexpr std::array<std::string_view, 14> kAttributeNames = {"file-permissions", "file-owner", "file-group", "file-mtime", "file-atime", "file-rdev", "mode",
                                                                     "uid", "gid", "mtime", "atime", "ctime", "rdev", "s3cmd-attrs"};
/// geesefs's, with the target of a symbolic link.
inline constexpr std::string_view kTargetName = "--symlink-target";
/// s3fs's, with all extended attributes.
inline constexpr std::string_view kS3fsXattrs = "xattr";

inline bool is_known_name(std::string_view name) {
  return name == kTargetName || name == kS3fsXattrs || std::ranges::find(kAttributeNames, name) != kAttributeNames.end();
}

}  // namespace prefixfs::vfs
