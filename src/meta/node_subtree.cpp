// What a change of many nodes takes: it is cut into transactions, so that no one grows with the size of a directory.

#include "lmdb_node_cache.h"
#include "record.h"

namespace prefixfs::meta {

/// The top of the tree is gone before; what is left when the process dies here can be reached by nobody, and ids are not given twice.
Result<void> LmdbNodeCache::drop_below(std::vector<InodeId> directories) {
  while (!directories.empty()) {
    std::vector<InodeId> left;
    const Operation drop_page = [&](Txn& txn, NodeRecords& records) -> Result<void> {
      left = directories;
      const InodeId directory = left.back();
      left.pop_back();
      TRY_ASSIGN(const NodeRecords::Page page, records.children(directory, {}, kPageNodes));
      if (page.more) {
        left.push_back(directory);
      } else {
        TRY(txn.erase(listing_key(directory)));
      }
      for (const Node& node : page.nodes) {
        TRY(records.drop(node));
        if (node.kind == NodeKind::directory) {
          left.push_back(node.id);
        }
      }
      return {};
    };
    TRY(change(drop_page));
    directories = std::move(left);
  }
  return {};
}

Result<bool> LmdbNodeCache::has_local_below(InodeId directory) {
  std::vector<InodeId> directories{directory};
  while (!directories.empty()) {
    const InodeId current = directories.back();
    directories.pop_back();
    PlaceSpan left;
    for (bool more = true; more;) {
      TRY_ASSIGN(NodeRecords::Page page, page_of(current, left, kPageNodes));
      for (const Node& node : page.nodes) {
        if (node.local) {
          return true;
        }
        if (node.kind == NodeKind::directory) {
          directories.push_back(node.id);
        }
      }
      left.behind = std::move(page.last_place);
      more = page.more;
    }
  }
  return false;
}

}  // namespace prefixfs::meta
