#pragma once
// The records of nodes within one transaction of the cache environment. LmdbNodeCache decides what a call means; this knows which records
// it takes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmdb_env.h"
#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

class NodeRecords {
 public:
  /// Keys of records that cannot be read are added to `bad`, and the records count as absent.
  NodeRecords(Txn& txn, std::vector<std::string>& bad) : txn_(txn), bad_(bad) {}

  /// The root is found at (1, "") in any case.
  Result<std::optional<Node>> find(InodeId parent, std::string_view name);
  Result<std::optional<Node>> get(InodeId id);
  /// Up to `limit` children that stand in `span`. Bad records are left out, so the next page begins behind `last_place`.
  struct Page {
    std::vector<Node> nodes;
    std::string last_place;
    bool more = false;
  };
  Result<Page> children(InodeId parent, const PlaceSpan& span, std::size_t limit);

  /// Writes both records of `node`, which replaces `present` at the same place; what is the same already is not written.
  Result<void> store(const Node& node, const std::optional<Node>& present);
  /// Drops the record that the inode has under another name than `node`'s.
  Result<void> drop_former_name(const Node& node);
  /// Drops both records, and the listing state of a directory; not what lies below.
  Result<void> drop(const Node& node);

 private:
  Txn& txn_;
  std::vector<std::string>& bad_;
};

}  // namespace prefixfs::meta
