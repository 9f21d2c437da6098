#pragma once
// POSIX attributes as user metadata of objects, in the dialects that other programs use.

#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/object_info.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// What a node has whose object says nothing.
PosixAttributes default_attributes(const Settings& settings, NodeKind kind, WallTime last_modified);

/// What kind of file an object is, by its metadata.
struct FileType {
  NodeKind kind = NodeKind::file;
  std::uint32_t rdev = 0;             ///< of a device
  std::optional<std::string> target;  ///< of a symlink, where the metadata have it (geesefs); nothing: its body is the target
};
/// A type that the object cannot be counts as none: a directory, a fifo, socket or device that has bytes, a link whose target is empty, too long or has
/// a NUL. Whether a body is a target is left to the caller.
FileType type_from(const ObjectInfo& info, const Settings& settings);
/// Whether these bytes can be the target of a symlink.
bool is_target(std::string_view text);

/// Which field of an object's metadata says what cannot be, and so counts as absent; nothing: all of it makes sense.
std::optional<std::string> nonsense_in(const ObjectInfo& info, const Settings& settings);

/// The attributes of an object: its metadata in any known dialect, defaults for the rest. Nonsense in a field counts as absent.
/// AWS (S3 Files, FSx, DataSync, File Gateway): file-permissions file-owner file-group file-mtime file-atime; s3fs and geesefs: mode (decimal) uid gid
/// mtime atime rdev; rclone: mode (octal) uid gid mtime; s3cmd: s3cmd-attrs. The number of a device is in none of AWS's words: file-rdev.
PosixAttributes attributes_from(const ObjectInfo& info, const Settings& settings, NodeKind kind);

/// Puts the attributes into `metadata`, in the mount's dialect, replacing what any dialect said before. Mode and owner are left out
/// where they are the mount's defaults, the atime where it is the mtime. The mode of what is neither file nor directory is always there. Of extended
/// attributes those that are not named stay (user_xattrs.h).
void put_attributes(UserMetadata& metadata, const PosixAttributes& posix, const Settings& settings, NodeKind kind, std::uint32_t rdev = 0);

/// Takes away what a file must not keep that others may have written or own now: set-user-id, and set-group-id where the group may execute it.
void drop_set_id(PosixAttributes& posix);

/// Whether the kernel judges by both alike, whoever asks.
bool same_permissions(const PosixAttributes& a, const PosixAttributes& b);

/// Whether an object that says `stored` is as `wanted` is to be: of extended attributes it may have more.
bool says(const PosixAttributes& stored, const PosixAttributes& wanted);

/// S3 has them: what the object has besides is known now, and what was removed need not be remembered where it is gone.
void take_stored_xattrs(PosixAttributes& posix, const PosixAttributes& stored);

/// What a program has set counts, the rest stays. An atime that was as the mtime stays where that goes.
void apply(const SetAttributes& changes, PosixAttributes& posix);
/// The same of a file or directory, whose ctime moves.
void apply(const SetAttributes& changes, meta::Node& node, WallTime now);

/// Whether S3 has taken another object, or the same bytes with other metadata, since what is known: an object that was copied onto itself keeps its ETag (and all markers of
/// directories have the same one), so that If-None-Match does not notice; its time tells.
bool written_since(const meta::Node& known, WallTime last_modified);

}  // namespace prefixfs::vfs
