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
    TRY_ASSIGN(const KeyPart own, part_of(found.name));
    prefix.insert(0, own.part + "/");
    directory = found.parent;
  }
  return prefix;
}

Result<Key> Tree::file_key(InodeId parent, std::string_view name) const {
  TRY_ASSIGN(const KeyPart own, part_of(name));
  if (own.as == Shown::directory) {
    return fail(Errc::not_found, fmt::format("{} can be a directory only", name));
  }
  TRY_ASSIGN(std::string prefix, directory_prefix(parent));
  return Key(prefix.append(own.part));
}

Result<Key> Tree::marker_key(InodeId parent, std::string_view name) const {
  TRY_ASSIGN(const KeyPart own, part_of(name));
  if (own.as == Shown::marker || own.as == Shown::file_beside_directory) {
    return fail(Errc::not_found, fmt::format("{} can be a file only", name));
  }
  TRY_ASSIGN(std::string prefix, directory_prefix(parent));
  return Key(prefix.append(own.part).append("/"));
}

Result<Key> Tree::key_of(const meta::Node& node) const {
  return node.kind == NodeKind::directory ? marker_key(node.parent, node.name) : file_key(node.parent, node.name);
}

Result<std::string> Tree::name_of(std::string_view part, Shown as) const {
  std::string name = shown_name(part, as);
  if (name != part && shortened_name(name)) {
    TRY(nodes_.remember_part(name, part));
  }
  return name;
}

Result<std::string> Tree::name_in(InodeId parent, std::string_view part, bool file) const {
  if (!file) {
    return name_of(part);
  }
  if (part.empty()) {
    return name_of(part, Shown::marker);
  }
  TRY_ASSIGN(std::string name, name_of(part));
  TRY_ASSIGN(const std::optional<meta::Node> there, nodes_.find(parent, name));
  const bool beside = there && there->kind == NodeKind::directory;
  return beside ? name_of(part, Shown::file_beside_directory) : Result<std::string>(std::move(name));
}

Result<KeyPart> Tree::part_of(std::string_view name) const {
  if (auto own = key_part(name)) {
    return std::move(*own);
  }
  TRY_ASSIGN(std::optional<std::string> remembered, nodes_.part_of(name));
  if (!remembered) {
    return fail(Errc::not_found, fmt::format("no key is known whose shortened name is {}", name));
  }
  return KeyPart{.part = std::move(*remembered), .as = shortened_name(name)->as};
}

std::optional<std::string> Tree::directory_beside(std::string_view name) const {
  const auto own = part_of(name);
  if (!own || own->as != Shown::file_beside_directory) {
    return std::nullopt;
  }
  const auto directory = name_of(own->part);
  return directory ? std::optional(*directory) : std::nullopt;
}

bool Tree::is_hidden(InodeId parent, std::string_view name) { return parent == meta::kRootInode && name == locks::kDirectoryName; }

Result<void> Tree::check_new(InodeId parent, std::string_view name, NodeKind kind) const {
  TRY(check_name(name));
  if (is_hidden(parent, name)) {
    return fail(Errc::invalid, fmt::format("{} holds the locks of this prefix, and is shown nowhere", name));
  }
  const auto own = part_of(name);
  const auto other_name = [&] { return fail(Errc::invalid, fmt::format("what is made as {} would be shown under another name", name)); };
  if (!own || own->as == Shown::marker) {
    return other_name();
  }
  if (own->as == Shown::directory) {
    return kind == NodeKind::directory ? Result<void>() : other_name();
  }
  if (const auto beside = directory_beside(name)) {
    TRY_ASSIGN(const std::optional<meta::Node> directory, nodes_.find(parent, *beside));
    const bool there = directory && directory->kind == NodeKind::directory;
    return kind != NodeKind::directory && there ? Result<void>() : other_name();
  }
  return {};
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
