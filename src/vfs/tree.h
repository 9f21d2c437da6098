#pragma once
// Inodes, names and keys: who is whose child. Asks only the local cache.

#include <string>
#include <string_view>

#include "prefixfs/locks/locks.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/key.h"
#include "prefixfs/object/shown_name.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// Thread-safe.
class Tree {
 public:
  explicit Tree(meta::NodeCache& nodes) : nodes_(nodes) {}

  /// "" for the root, otherwise "a/b/". Errors: stale (an inode which is no longer known).
  Result<std::string> directory_prefix(InodeId directory) const;
  /// Errors also: not_found (a name of directories only, or of files only; or a shortened one of which no key is known).
  Result<Key> file_key(InodeId parent, std::string_view name) const;
  Result<Key> marker_key(InodeId parent, std::string_view name) const;
  Result<Key> key_of(const meta::Node& node) const;

  /// The name of that part of a key. Errors: exists (a shortened name that another part has already).
  Result<std::string> name_of(std::string_view part, Shown as = Shown::any) const;
  /// That of a key's last part; `file`: whether it is a file's key, and not that of a directory without its "/".
  Result<std::string> name_in(InodeId parent, std::string_view part, bool file) const;
  /// What has that name. Errors: not_found (a shortened one of which no key is known).
  Result<KeyPart> part_of(std::string_view name) const;
  /// The name of the directory beside which a file has this name; nothing: it is not such a name.
  std::optional<std::string> directory_beside(std::string_view name) const;
  /// Whether it is where locks between hosts are (locks/locks.h): in the bucket, and in no mount of this prefix.
  static bool is_hidden(InodeId parent, std::string_view name);
  /// Whether something of that kind may be made under the name. Errors: as check_name(); invalid (it would be shown under another name, or not at all).
  Result<void> check_new(InodeId parent, std::string_view name, NodeKind kind) const;

  /// The node of an inode number that the kernel holds. Errors: stale.
  Result<meta::Node> node(InodeId id) const;
  Result<meta::Node> directory(InodeId id) const;

  /// S3 has contradicted the record: the next lookup asks again, whatever the freshness window says.
  void doubt(InodeId id) const;

 private:
  meta::NodeCache& nodes_;
};

}  // namespace prefixfs::vfs
