#pragma once
// Inodes, names and keys: who is whose child. Asks only the local cache.

#include <string>
#include <string_view>

#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/key.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// Thread-safe.
class Tree {
 public:
  explicit Tree(meta::NodeCache& nodes) : nodes_(nodes) {}

  /// "" for the root, otherwise "a/b/". Errors: stale (an inode which is no longer known).
  Result<std::string> directory_prefix(InodeId directory) const;
  Result<Key> file_key(InodeId parent, std::string_view name) const;
  Result<Key> marker_key(InodeId parent, std::string_view name) const;
  Result<Key> key_of(const meta::Node& node) const;

  /// The node of an inode number that the kernel holds. Errors: stale.
  Result<meta::Node> node(InodeId id) const;
  Result<meta::Node> directory(InodeId id) const;

  /// S3 has contradicted the record: the next lookup asks again, whatever the freshness window says.
  void doubt(InodeId id) const;

 private:
  meta::NodeCache& nodes_;
};

}  // namespace prefixfs::vfs
