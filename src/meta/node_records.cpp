#include "node_records.h"

#include "record.h"

namespace prefixfs::meta {

namespace {

Node bare_root() {
  Node root;
  root.id = kRootInode;
  root.parent = kRootInode;
  root.kind = NodeKind::directory;
  return root;
}

}  // namespace

Result<std::optional<Node>> NodeRecords::find(InodeId parent, std::string_view name) {
  const std::string key = node_key(parent, name);
  TRY_ASSIGN(const auto value, txn_.get(key));
  std::optional<Node> node;
  if (value) {
    node = decode_node(key, *value);
    if (!node) {
      bad_.push_back(key);
    }
  }
  if (!node && parent == kRootInode && name.empty()) {
    node = bare_root();
  }
  return node;
}

Result<std::optional<Node>> NodeRecords::get(InodeId id) {
  if (id == kRootInode) {
    return find(kRootInode, {});
  }
  const std::string key = inode_key(id);
  TRY_ASSIGN(const auto value, txn_.get(key));
  if (!value) {
    return std::optional<Node>{};
  }
  const std::optional<NodePlace> place = decode_place(*value);
  if (!place) {
    bad_.push_back(key);
    return std::optional<Node>{};
  }
  TRY_ASSIGN(std::optional<Node> node, find(place->parent, place->name));
  if (node && node->id != id) {
    node.reset();
  }
  return node;
}

Result<NodeRecords::Page> NodeRecords::children(InodeId parent, const PlaceSpan& span, std::size_t limit) {
  Page page;
  const std::string prefix = node_key(parent, {});
  const std::string start = children_key(parent, span.behind);
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn_));
  TRY_ASSIGN(bool found, cursor.seek(start));
  while (found && cursor.key().starts_with(prefix)) {
    const std::string_view place = cursor.key().substr(prefix.size());
    if (span.up_to && place > *span.up_to) {
      break;
    }
    if (cursor.key() != start) {  // for "" that is the root's own record
      if (page.nodes.size() == limit) {
        page.more = true;
        return page;
      }
      page.last_place = place;
      if (auto node = decode_node(cursor.key(), cursor.value())) {
        page.nodes.push_back(std::move(*node));
      } else {
        bad_.emplace_back(cursor.key());
      }
    }
    TRY_ASSIGN(found, cursor.next());
  }
  return page;
}

Result<void> NodeRecords::store(const Node& node, const std::optional<Node>& present) {
  if (present && *present == node) {
    return {};
  }
  TRY(txn_.put(node_key(node.parent, node.name), encode_node(node)));
  const bool placed = present && present->id == node.id && present->parent == node.parent && present->name == node.name;
  if (placed || node.id == kRootInode) {
    return {};
  }
  return txn_.put(inode_key(node.id), encode_place(node.parent, node.name));
}

Result<void> NodeRecords::drop_former_name(const Node& node) {
  TRY_ASSIGN(const std::optional<Node> former, get(node.id));
  if (former && (former->parent != node.parent || former->name != node.name)) {
    TRY(txn_.erase(node_key(former->parent, former->name)));
  }
  return {};
}

Result<void> NodeRecords::drop(const Node& node) {
  TRY(txn_.erase(node_key(node.parent, node.name)));
  TRY(txn_.erase(inode_key(node.id)));
  if (node.kind == NodeKind::directory) {
    TRY(txn_.erase(listing_key(node.id)));
  }
  return {};
}

}  // namespace prefixfs::meta
