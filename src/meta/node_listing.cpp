// What a listing has told of: the records that it has not confirmed go, and its state is kept.

#include "lmdb_node_cache.h"
#include "record.h"

namespace prefixfs::meta {

/// Of one page of children.
Result<std::uint64_t> LmdbNodeCache::drop_unlisted(std::vector<Node> page, WallTime began) {
  std::uint64_t confirmed = 0;
  std::vector<Node> gone;
  for (Node& node : page) {
    if (node.local) {
      continue;
    }
    if (node.checked_at >= began) {
      ++confirmed;
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
    return confirmed;
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
  return confirmed;
}

Result<std::uint64_t> LmdbNodeCache::drop_unlisted(InodeId parent, const PlaceSpan& span, WallTime began) {
  const std::lock_guard lock(changing_);
  std::uint64_t confirmed = 0;
  PlaceSpan left = span;
  for (bool more = true; more;) {
    TRY_ASSIGN(NodeRecords::Page page, page_of(parent, left, kPageNodes));
    left.behind = std::move(page.last_place);
    more = page.more;
    TRY_ASSIGN(const std::uint64_t here, drop_unlisted(std::move(page.nodes), began));
    confirmed += here;
  }
  return confirmed;
}

Result<ListingState> LmdbNodeCache::listing(InodeId parent) {
  ListingState state;
  std::string bad;
  TRY(look([&](Txn& txn, NodeRecords&) -> Result<void> {
    const std::string key = listing_key(parent);
    TRY_ASSIGN(const auto value, txn.get(key));
    if (value) {
      const auto decoded = decode_listing(*value);
      state = decoded.value_or(ListingState{});
      bad = decoded ? "" : key;
    }
    return {};
  }));
  if (!bad.empty()) {
    ++dropped_records_;
    TRY(drop_bad({bad}));
  }
  return state;
}

Result<void> LmdbNodeCache::put_listing(InodeId parent, const ListingState& state) {
  const std::lock_guard lock(changing_);
  return change([&](Txn& txn, NodeRecords&) { return txn.put(listing_key(parent), encode_listing(state)); });
}

Result<void> LmdbNodeCache::forget_listing(InodeId parent) {
  const std::lock_guard lock(changing_);
  return change([&](Txn& txn, NodeRecords&) -> Result<void> {
    TRY(txn.erase(listing_key(parent)));
    return {};
  });
}

}  // namespace prefixfs::meta
