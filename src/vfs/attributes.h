#pragma once
// POSIX attributes as user metadata of objects, in the dialects that other programs use.

#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/object_info.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// What a node has whose object says nothing.
PosixAttributes default_attributes(const Settings& settings, NodeKind kind, WallTime last_modified);

/// The attributes of an object: its metadata in any known dialect, defaults for the rest. Nonsense in a field counts as absent.
/// AWS (S3 Files, FSx, DataSync, File Gateway): file-permissions file-owner file-group file-mtime; s3fs: mode (decimal) uid gid mtime;
/// rclone: mode (octal) uid gid mtime; s3cmd: s3cmd-attrs.
PosixAttributes attributes_from(const ObjectInfo& info, const Settings& settings, NodeKind kind);

/// Puts the attributes into `metadata`, in the mount's dialect, replacing what any dialect said before. Mode and owner are left out
/// where they are the mount's defaults.
void put_attributes(UserMetadata& metadata, const PosixAttributes& posix, const Settings& settings, NodeKind kind);

/// What a program has set counts, the rest stays.
void apply(const SetAttributes& changes, PosixAttributes& posix);

}  // namespace prefixfs::vfs
