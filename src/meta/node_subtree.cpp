// What a change of many nodes takes: it is cut into transactions, so that no one grows with the size of a directory.

#include <algorithm>

#include "lmdb_node_cache.h"
#include "record.h"

namespace prefixfs::meta {

namespace {

constexpr std::size_t kPageNodes = 1000;
constexpr std::size_t kDroppedNodesMax = 10000;  // that finish_listing() gives back

}  // namespace

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
    std::string after;
    for (bool more = true; more;) {
      TRY_ASSIGN(NodeRecords::Page page, page_of(current, after, kPageNodes));
      for (const Node& node : page.nodes) {
        if (node.local) {
          return true;
        }
        if (node.kind == NodeKind::directory) {
          directories.push_back(node.id);
        }
      }
      after = std::move(page.last_name);
      more = page.more;
    }
  }
  return false;
}

/// Of one page of children, drops and gives back those that the listing has not confirmed; `entries` counts those it has.
Result<std::vector<Node>> LmdbNodeCache::drop_unlisted(std::vector<Node> page, WallTime began, std::uint64_t& entries) {
  std::vector<Node> gone;
  for (Node& node : page) {
    if (node.checked_at >= began) {
      entries += node.local ? 0 : 1;
      continue;
    }
    if (node.local) {
      continue;
    }
    if (node.kind == NodeKind::directory) {
      TRY_ASSIGN(const bool needed, has_local_below(node.id));
      if (needed) {
        continue;
      }
    }
    gone.push_back(std::move(node));
  }
  if (gone.empty()) {
    return gone;
  }
  const Operation drop_all = [&](Txn&, NodeRecords& records) -> Result<void> {
    for (const Node& node : gone) {
      TRY(records.drop(node));
    }
    return {};
  };
  TRY(change(drop_all));
  std::vector<InodeId> orphans;
  for (const Node& node : gone) {
    if (node.kind == NodeKind::directory) {
      orphans.push_back(node.id);
    }
  }
  TRY(drop_below(std::move(orphans)));
  return gone;
}

Result<std::vector<Node>> LmdbNodeCache::finish_listing(InodeId parent, WallTime began, std::uint32_t pages) {
  const std::lock_guard lock(changing_);
  std::vector<Node> dropped;
  ListingState state{.listed_at = began, .complete = true, .entries = 0, .pages = pages};
  std::string after;
  for (bool more = true; more;) {
    TRY_ASSIGN(NodeRecords::Page page, page_of(parent, after, kPageNodes));
    after = std::move(page.last_name);
    more = page.more;
    TRY_ASSIGN(std::vector<Node> gone, drop_unlisted(std::move(page.nodes), began, state.entries));
    gone.resize(std::min(gone.size(), kDroppedNodesMax - dropped.size()));
    std::move(gone.begin(), gone.end(), std::back_inserter(dropped));
  }
  TRY(change([&](Txn& txn, NodeRecords&) { return txn.put(listing_key(parent), encode_listing(state)); }));
  return dropped;
}

}  // namespace prefixfs::meta
