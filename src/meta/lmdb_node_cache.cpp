#include "lmdb_node_cache.h"

#include "cache_state.h"
#include "record.h"

namespace prefixfs::meta {

namespace {

// After so many records the mapped memory is given back: about 20 MiB where they are neighbours. One that is read alone counts for those around it.
constexpr std::size_t kTouchedMax = 50'000;
constexpr std::size_t kTouchedByOne = 8;

Result<void> check_place(InodeId parent, std::string_view name) {
  if (parent == 0 || name.empty()) {
    return fail(Errc::invalid, "a node needs a parent and a name");
  }
  if (name.size() > kNodeNameBytesMax) {
    return fail(Errc::name_too_long, "a name has at most 255 bytes");
  }
  return {};
}

Result<void> check_node(const Node& node) {
  if (node.etag.str().size() > kTextBytesMax || node.storage_class.size() > kTextBytesMax) {
    return fail(Errc::invalid, "an ETag or a storage class of more than 1024 bytes cannot be kept");
  }
  if (node.target.size() > kTargetBytesMax) {
    return fail(Errc::invalid, "the target of a symbolic link has at most 4095 bytes");
  }
  const bool at_root = node.parent == kRootInode && node.name.empty();
  if (node.id == kRootInode || at_root) {
    const bool is_root = node.id == kRootInode && at_root && node.kind == NodeKind::directory;
    return is_root ? Result<void>{} : fail(Errc::invalid, "inode 1 is the root: a directory, its own parent, without a name");
  }
  return check_place(node.parent, node.name);
}

/// Other metadata with the same bytes has the same ETag, but a later LastModified. That of our own writes is not known at first, and HTTP
/// headers have whole seconds where listings have a fraction.
bool may_be_same_write(const Node& listed, const Node& present) {
  const auto seconds = [](WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); };
  return present.last_modified == WallTime{} || listed.last_modified == WallTime{} ||
         seconds(listed.last_modified) == seconds(present.last_modified);
}

void take_touch(Node& directory, const Node& touched) {
  directory.posix.mtime_ns = touched.posix.mtime_ns;
  directory.changed_at = touched.changed_at;
}

/// But for what has been made or removed in a directory since.
bool is_unchanged(const Node& now, const Node& before) {
  Node as_before = now;
  if (now.kind == NodeKind::directory) {
    take_touch(as_before, before);
  }
  return as_before == before;
}

/// A listing tells less than is known already of the same version.
void keep_what_a_listing_cannot_know(Node& listed, const Node& present) {
  if (listed.kind == NodeKind::directory && listed.etag.empty()) {
    listed.etag = present.etag;
    if (listed.last_modified == WallTime{}) {
      listed.last_modified = present.last_modified;
    }
  }
  if (listed.kind == NodeKind::directory && present.changed_at != WallTime{}) {
    take_touch(listed, present);
  }
  if (present.posix_exact && !listed.posix_exact && listed.etag == present.etag && may_be_same_write(listed, present)) {
    listed.posix = present.posix;
    listed.posix_exact = true;
    listed.kind = present.kind;
    listed.rdev = present.rdev;
    listed.target = present.target;
    listed.changed_at = present.changed_at;
  }
}

}  // namespace

LmdbNodeCache::LmdbNodeCache(std::unique_ptr<LmdbEnv> cache, std::shared_ptr<LmdbEnv> journal, std::string boot_id)
    : cache_(std::move(cache)), journal_(journal), boot_id_(std::move(boot_id)), inodes_(std::move(journal), kInodeNumbers) {}

LmdbNodeCache::~LmdbNodeCache() {
  const bool synced = cache_->sync().has_value();
  cache_.reset();
  // Without this note the next start throws the cache away: no harm is done where it cannot be written.
  const char format = damaged_ ? char{0} : kCacheFormat;
  [[maybe_unused]] const auto noted = write_cache_state(*journal_, {format, synced && !damaged_, boot_id_});
}

// ---- transactions ----

Result<void> LmdbNodeCache::look(const Operation& operation) {
  std::vector<std::string> bad;
  return after(cache_->read([&](Txn& txn) {
    NodeRecords records(txn, bad);
    return operation(txn, records);
  }), bad);
}

Result<void> LmdbNodeCache::change(const Operation& operation) {
  std::vector<std::string> bad;
  return after(cache_->write([&](Txn& txn) {
    bad.clear();
    NodeRecords records(txn, bad);
    return operation(txn, records);
  }), bad);
}

void LmdbNodeCache::touched(std::size_t nodes) {
  if (touched_.fetch_add(nodes) + nodes > kTouchedMax) {
    touched_ = 0;
    cache_->give_back_memory();
  }
}

Result<void> LmdbNodeCache::after(Result<void> outcome, std::vector<std::string>& bad) {
  touched(kTouchedByOne);
  if (!outcome && outcome.error().code == Errc::corrupt) {
    damaged_ = true;
  }
  if (outcome && !bad.empty()) {
    dropped_records_ += bad.size();
    return drop_bad(bad);
  }
  return outcome;
}

Result<void> LmdbNodeCache::drop_bad(const std::vector<std::string>& bad) {
  return cache_->write([&](Txn& txn) -> Result<void> {
    for (const std::string& key : bad) {
      TRY_ASSIGN(const auto value, txn.get(key));
      // Somebody may have written a good one in its place.
      const bool good = value && (key[0] == 'd'   ? decode_node(key, *value).has_value()
                                  : key[0] == 'i' ? decode_place(*value).has_value()
                                                  : decode_listing(*value).has_value());
      if (value && !good) {
        TRY(txn.erase(key));
      }
    }
    return {};
  });
}

// ---- single nodes ----

Result<std::optional<Node>> LmdbNodeCache::find(InodeId parent, std::string_view name) {
  std::optional<Node> found;
  if (parent != kRootInode || !name.empty()) {
    TRY(check_place(parent, name));
  }
  TRY(look([&](Txn&, NodeRecords& records) -> Result<void> {
    TRY_ASSIGN(found, records.find(parent, name));
    return {};
  }));
  return found;
}

Result<std::optional<Node>> LmdbNodeCache::get(InodeId id) {
  std::optional<Node> found;
  TRY(look([&](Txn&, NodeRecords& records) -> Result<void> {
    TRY_ASSIGN(found, records.get(id));
    return {};
  }));
  return found;
}

Result<void> LmdbNodeCache::store(NodeRecords& records, Node& node, const std::optional<Node>& present, std::vector<InodeId>& orphans) {
  if (node.id != 0) {
    TRY(records.drop_former_name(node));
  } else if (present && present->kind == node.kind) {
    node.id = present->id;
  } else {
    TRY_ASSIGN(node.id, inodes_.next());
  }
  if (present && present->id != node.id) {
    TRY(records.drop(*present));
    if (present->kind == NodeKind::directory) {
      orphans.push_back(present->id);
    }
  }
  return records.store(node, present);
}

Result<Node> LmdbNodeCache::put(Node node) {
  TRY(check_node(node));
  const std::lock_guard lock(changing_);
  std::vector<InodeId> orphans;
  Node stored;
  TRY(change([&](Txn&, NodeRecords& records) -> Result<void> {
    orphans.clear();
    stored = node;
    TRY_ASSIGN(const auto present, records.find(node.parent, node.name));
    return store(records, stored, present, orphans);
  }));
  TRY(drop_below(std::move(orphans)));
  return stored;
}

Result<std::optional<Node>> LmdbNodeCache::put_if_unchanged(const Node& before, Node node) {
  TRY(check_node(node));
  const std::lock_guard lock(changing_);
  std::vector<InodeId> orphans;
  std::optional<Node> now;
  TRY(change([&](Txn&, NodeRecords& records) -> Result<void> {
    orphans.clear();
    TRY_ASSIGN(now, records.find(before.parent, before.name));
    if (!now || !is_unchanged(*now, before)) {
      return {};
    }
    const std::optional<Node> present = std::exchange(now, node);
    if (present->kind == NodeKind::directory && present->changed_at > before.changed_at) {
      take_touch(*now, *present);
    }
    return store(records, *now, present, orphans);
  }));
  TRY(drop_below(std::move(orphans)));
  return now;
}

Result<void> LmdbNodeCache::touch(InodeId directory, WallTime at) {
  const std::lock_guard lock(changing_);
  return change([&](Txn&, NodeRecords& records) -> Result<void> {
    TRY_ASSIGN(const auto present, records.get(directory));
    if (!present || present->kind != NodeKind::directory) {
      return {};
    }
    Node touched = *present;
    touched.posix.mtime_ns = at.time_since_epoch().count();
    touched.changed_at = at;
    return records.store(touched, present);
  });
}

Result<std::vector<InodeId>> LmdbNodeCache::put_page(InodeId parent, std::vector<Node>& nodes) {
  for (Node& node : nodes) {
    node.parent = parent;
    TRY(check_node(node));
  }
  const std::lock_guard lock(changing_);
  std::vector<InodeId> orphans;
  std::vector<Node> stored;
  std::vector<InodeId> changed;
  const Operation store_page = [&](Txn&, NodeRecords& records) -> Result<void> {
    orphans.clear();
    changed.clear();
    stored = nodes;
    for (Node& node : stored) {
      TRY_ASSIGN(const auto present, records.find(node.parent, node.name));
      const bool local_file = present && present->local && present->kind != NodeKind::directory;
      if (local_file || (present && present->checked_at > node.checked_at)) {
        node = *present;
        continue;
      }
      if (present && (present->kind == NodeKind::directory) == (node.kind == NodeKind::directory)) {
        keep_what_a_listing_cannot_know(node, *present);
      }
      TRY(store(records, node, present, orphans));
      const bool same_file = present && present->id == node.id && node.kind != NodeKind::directory;
      if (same_file && (present->etag != node.etag || present->size != node.size)) {
        changed.push_back(node.id);
      }
    }
    return {};
  };
  TRY(change(store_page));
  touched(nodes.size());
  TRY(drop_below(std::move(orphans)));
  nodes = std::move(stored);
  return changed;
}

Result<void> LmdbNodeCache::erase(InodeId parent, std::string_view name) {
  TRY(check_place(parent, name));
  const std::lock_guard lock(changing_);
  std::vector<InodeId> orphans;
  TRY(change([&](Txn&, NodeRecords& records) -> Result<void> {
    orphans.clear();
    TRY_ASSIGN(const auto present, records.find(parent, name));
    if (!present) {
      return {};
    }
    if (present->kind == NodeKind::directory) {
      orphans.push_back(present->id);
    }
    return records.drop(*present);
  }));
  return drop_below(std::move(orphans));
}

Result<Node> LmdbNodeCache::move(InodeId id, InodeId new_parent, std::string_view new_name) {
  TRY(check_place(new_parent, new_name));
  if (id == kRootInode) {
    return fail(Errc::invalid, "the root cannot be renamed");
  }
  const std::lock_guard lock(changing_);
  std::vector<InodeId> orphans;
  Node moved;
  TRY(change([&](Txn&, NodeRecords& records) -> Result<void> {
    orphans.clear();
    TRY_ASSIGN(const auto node, records.get(id));
    if (!node) {
      return fail(Errc::not_found, "the inode to be renamed is not known");
    }
    moved = *node;
    moved.parent = new_parent;
    moved.name = new_name;
    TRY_ASSIGN(const auto present, records.find(new_parent, new_name));
    return store(records, moved, present, orphans);
  }));
  TRY(drop_below(std::move(orphans)));
  return moved;
}

// ---- reading directories ----

Result<NodeRecords::Page> LmdbNodeCache::page_of(InodeId parent, const PlaceSpan& span, std::size_t limit) {
  NodeRecords::Page page;
  TRY(look([&](Txn&, NodeRecords& records) -> Result<void> {
    TRY_ASSIGN(page, records.children(parent, span, limit));
    return {};
  }));
  touched(page.nodes.size());
  return page;
}

Result<std::vector<Node>> LmdbNodeCache::children(InodeId parent, const PlaceSpan& span, std::size_t limit) {
  std::vector<Node> all;
  PlaceSpan left = span;
  // Each page has its own short transaction; a long one would keep LMDB from using freed pages again.
  for (bool more = limit > 0; more;) {
    TRY_ASSIGN(NodeRecords::Page page, page_of(parent, left, std::min(limit - all.size(), kPageNodes)));
    std::move(page.nodes.begin(), page.nodes.end(), std::back_inserter(all));
    left.behind = std::move(page.last_place);
    more = page.more && all.size() < limit;
  }
  return all;
}

Result<bool> LmdbNodeCache::has_children(InodeId parent) {
  TRY_ASSIGN(const NodeRecords::Page page, page_of(parent, {}, 1));
  return !page.nodes.empty();
}

// ---- shortened names ----

Result<std::optional<std::string>> LmdbNodeCache::part_of(std::string_view name) {
  std::optional<std::string> part;
  TRY(look([&](Txn& txn, NodeRecords&) -> Result<void> {
    TRY_ASSIGN(const auto value, txn.get(part_key(name)));
    part = value ? std::optional(std::string(*value)) : std::nullopt;
    return {};
  }));
  return part;
}

Result<void> LmdbNodeCache::remember_part(std::string_view name, std::string_view part) {
  TRY(check_place(kRootInode, name));
  TRY_ASSIGN(const std::optional<std::string> known, part_of(name));
  if (known && *known != part) {
    return fail(Errc::exists, "two keys come to the same shortened name");
  }
  return known ? Result<void>{} : change([&](Txn& txn, NodeRecords&) { return txn.put(part_key(name), part); });
}

}  // namespace prefixfs::meta
