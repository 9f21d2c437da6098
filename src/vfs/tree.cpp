#include "tree.h"

#include <fmt/format.h>

namespace prefixfs::vfs {
namespace {

// Deeper than any key can be: guards against a cycle in a damaged cache.
constexpr int kDepthMax = 1100;

}  // namespace

Result<std::string> Tree::directory_prefix(InodeId directory) const {
  std::string prefix;
  for (int depth = 0; directory != meta::kRootInode; ++depth) {
    if (depth > kDepthMax) {
      return fail(Errc::corrupt, "the directories of the metadata cache form a circle; delete the cache/ directory of this mount");
    }
    TRY_ASSIGN(const meta::Node found, node(directory));
    prefix.insert(0, found.name + "/");
    directory = found.parent;
  }
  return prefix;
}

Result<Key> Tree::file_key(InodeId parent, std::string_view name) const {
  TRY_ASSIGN(std::string prefix, directory_prefix(parent));
  return Key(prefix.append(name));
}

Result<Key> Tree::marker_key(InodeId parent, std::string_view name) const {
  TRY_ASSIGN(std::string prefix, directory_prefix(parent));
  return Key(prefix.append(name).append("/"));
}

Result<Key> Tree::key_of(const meta::Node& node) const {
  return node.kind == NodeKind::directory ? marker_key(node.parent, node.name) : file_key(node.parent, node.name);
}

Result<meta::Node> Tree::node(InodeId id) const {
  TRY_ASSIGN(std::optional<meta::Node> found, nodes_.get(id));
  if (!found) {
    return fail(Errc::stale, fmt::format("inode {} is no longer known", id));
  }
  return std::move(*found);
}

Result<meta::Node> Tree::directory(InodeId id) const {
  TRY_ASSIGN(meta::Node found, node(id));
  if (found.kind != NodeKind::directory) {
    return fail(Errc::not_dir, fmt::format("{} is not a directory", found.name));
  }
  return found;
}

void Tree::doubt(InodeId id) const {
  const auto found = nodes_.get(id);
  if (!found || !*found || id == meta::kRootInode) {
    return;
  }
  meta::Node doubted = **found;
  doubted.checked_at = {};
  // Where the cache does not take it, the window ends a little later.
  [[maybe_unused]] const auto stored = nodes_.put(std::move(doubted));
}

}  // namespace prefixfs::vfs
