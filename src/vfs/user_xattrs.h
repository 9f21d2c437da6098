#pragma once
// Extended attributes `user.*` as user metadata of objects.

#include <cstddef>

#include "prefixfs/meta/xattrs.h"
#include "prefixfs/object/object_info.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// S3 takes no more: names and values of all user metadata of an object.
inline constexpr std::size_t kUserMetadataBytesMax = 2048;

/// What an object has: each field of user metadata that means nothing else, and what s3fs keeps together in one field (`xattr`). All have a value. More than
/// records can hold is left out.
meta::Xattrs xattrs_in(const UserMetadata& metadata);

/// Makes `metadata` say `xattrs`, and leaves all else as it is. A name and a value that are fit for a header become a field of their own; the others, and in
/// the dialect of s3fs all of them, go into the field of s3fs.
void put_xattrs(UserMetadata& metadata, const meta::Xattrs& xattrs, MetadataDialect dialect);

/// What S3 counts.
std::size_t metadata_bytes(const UserMetadata& metadata);

}  // namespace prefixfs::vfs
