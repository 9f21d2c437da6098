// unlink, mkdir, rmdir, rename.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>

#include "attributes.h"
#include "core.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {

Result<void> Filesystem::unlink(InodeId parent, std::string_view name, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const std::optional<meta::Node> known, core_->outside.nodes.find(parent, name));
  TRY_ASSIGN(const std::optional<meta::Node> node, known ? Result<std::optional<meta::Node>>(known) : core_->look(parent, name, caller.context));
  TRY_ASSIGN(const Key key, core_->tree.file_key(parent, name));
  if (!node) {
    return fail(Errc::not_found, key.str() + " does not exist");
  }
  if (node->kind == NodeKind::directory) {
    return fail(Errc::is_dir, key.str() + " is a directory");
  }
  TRY(core_->detach(*node, caller.context));
  if (!node->local) {
    core_->keep_directory(parent);
    TRY(core_->outside.store.remove(key, ETag(), caller.context));
  }
  core_->mark_unlinked(node->id);
  core_->contents.drop(node->id);
  return core_->resolver.store_absence(parent, name, core_->outside.clock.now());
}

Result<void> Filesystem::Core::detach(const meta::Node& node, const CallContext& context) {
  const auto file = open_files.find(node.id);
  if (file == nullptr) {
    return {};
  }
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file->mutex);
    content = file->content;
  }
  return content == nullptr ? Result<void>() : fetcher.ensure_all(content, committer.key_of(*file), context);
}

void Filesystem::Core::mark_unlinked(InodeId id) {
  if (const auto file = open_files.find(id)) {
    const std::lock_guard lock(file->mutex);
    file->unlinked = true;
    if (file->upload != nullptr) {
      file->upload->abandon();
    }
  }
}

void Filesystem::Core::keep_directory(InodeId directory) {
  const auto known = outside.nodes.get(directory);
  if (directory == meta::kRootInode || !known || !*known || (*known)->local || !(*known)->etag.empty()) {
    return;
  }
  meta::Node node = **known;
  node.local = true;
  if (const auto stored = outside.nodes.put(std::move(node)); !stored) {
    outside.log.warn("a directory without a marker may vanish with its last object: {}", describe(stored.error()));
  }
}

Result<Entry> Filesystem::mkdir(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller) {
  TRY(core_->writable());
  TRY(check_name(name));
  TRY(core_->tree.directory(parent));
  TRY_ASSIGN(const Key key, core_->tree.marker_key(parent, name));
  if (key.str().size() > kKeyBytesMax) {
    return fail(Errc::name_too_long, fmt::format("the key of {} has {} bytes; S3 allows {}", name, key.str().size(), kKeyBytesMax));
  }
  TRY_ASSIGN(const std::optional<meta::Node> known, core_->outside.nodes.find(parent, name));
  if (known) {
    return fail(Errc::exists, key.str() + " exists");
  }
  const WallTime now = core_->outside.clock.now();
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::directory, .checked_at = now};
  node.posix = {.mode = mode & 07777, .uid = caller.uid, .gid = caller.gid, .mtime_ns = now.time_since_epoch().count()};
  TRY_ASSIGN(const meta::Node stored, core_->committer.store_attributes(node, caller.context));
  core_->absent.remove(parent, name);
  // A directory made here is empty, and known to be: creating files in it asks nothing.
  TRY(core_->outside.nodes.finish_listing(stored.id, now, 1));
  return core_->entry(stored);
}

Result<void> Filesystem::rmdir(InodeId parent, std::string_view name, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const std::optional<meta::Node> node, core_->look(parent, name, caller.context));
  TRY_ASSIGN(const Key key, core_->tree.marker_key(parent, name));
  if (!node) {
    return fail(Errc::not_found, key.str() + " does not exist");
  }
  if (node->kind != NodeKind::directory) {
    return fail(Errc::not_dir, key.str() + " is not a directory");
  }
  TRY_ASSIGN(const std::vector<meta::Node> children, core_->outside.nodes.children(node->id, "", 100));
  const bool local_child = std::ranges::any_of(children, [](const meta::Node& child) { return child.local; });
  bool marker = true;
  bool others = local_child;
  if (!others && core_->rights.may_list()) {
    TRY_ASSIGN(const Lister::BelowOutcome below, core_->lister.look_below(key.str(), caller.context));
    marker = below.marker;
    others = below.others;
  } else if (!others) {
    others = !children.empty();
  }
  if (others) {
    return fail(Errc::not_empty, key.str() + " is not empty");
  }
  if (marker) {
    core_->keep_directory(parent);
    TRY(core_->outside.store.remove(key, ETag(), caller.context));
  }
  return core_->resolver.store_absence(parent, name, core_->outside.clock.now());
}

Result<void> Filesystem::rename(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name, unsigned flags,
                                const Caller& caller) {
  TRY(core_->writable());
  TRY(check_name(new_name));
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    return fail(Errc::invalid, "only RENAME_NOREPLACE is possible: S3 cannot exchange two objects at once");
  }
  TRY_ASSIGN(const std::optional<meta::Node> node, core_->look(parent, name, caller.context));
  if (!node) {
    return fail(Errc::not_found, std::string(name) + " does not exist");
  }
  TRY_ASSIGN(const std::optional<meta::Node> target, core_->look(new_parent, new_name, caller.context));
  const bool no_replace = (flags & RENAME_NOREPLACE) != 0;
  if (target && no_replace) {
    return fail(Errc::exists, std::string(new_name) + " exists");
  }
  if (target && target->id == node->id) {
    return {};
  }
  if (node->kind == NodeKind::directory) {
    if (target && target->kind != NodeKind::directory) {
      return fail(Errc::not_dir, std::string(new_name) + " is not a directory");
    }
    return fail(Errc::cross_device, "a directory is renamed by copying what is in it (mv does)");
  }
  if (target && target->kind == NodeKind::directory) {
    return fail(Errc::is_dir, std::string(new_name) + " is a directory");
  }
  return core_->rename_file(*node, target, new_parent, new_name, no_replace, caller.context);
}

Result<void> Filesystem::Core::rename_file(const meta::Node& node, const std::optional<meta::Node>& target, InodeId new_parent,
                                           std::string_view new_name, bool no_replace, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(node.parent, node.name));
  TRY_ASSIGN(const Key destination, tree.file_key(new_parent, new_name));
  if (destination.str().size() > kKeyBytesMax) {
    return fail(Errc::name_too_long, destination.str() + " is longer than a key can be");
  }
  const auto file = open_files.find(node.id);
  // No commit of the same file may run meanwhile: it would write under the old name.
  std::unique_lock<std::mutex> no_commit;
  meta::Node mine = node;
  if (file != nullptr) {
    no_commit = std::unique_lock(file->commit_mutex);
    const std::lock_guard lock(file->mutex);
    mine = file->node;
  }
  if (target) {
    TRY(detach(*target, context));
  }
  if (!mine.etag.empty()) {
    const bool conditional = no_replace && outside.store.capabilities().conditional_copy == s3::Support::yes;
    const s3::CopyOptions options{.replace = {}, .condition = conditional ? s3::WriteCondition::if_absent() : s3::WriteCondition::none()};
    auto copied = sync::copy_object(outside.store, {.key = source, .if_match = mine.etag}, mine.size, destination, options, context);
    if (!copied && copied.error().code == Errc::conflict && !conditional) {
      // The source has a newer version than the one known here: that one is renamed.
      copied = sync::copy_object(outside.store, {.key = source, .if_match = {}}, mine.size, destination, options, context);
    }
    if (!copied) {
      Error error = copied.error();
      error.code = error.code == Errc::conflict && conditional ? Errc::exists : error.code;
      return fail(std::move(error));
    }
    keep_directory(node.parent);
    TRY(outside.store.remove(source, ETag(), context));
    if (copied->etag != mine.etag) {
      contents.drop(node.id);
    }
    mine.etag = copied->etag;
    mine.last_modified = copied->last_modified;
    mine.checked_at = outside.clock.now();
  }
  if (target) {
    mark_unlinked(target->id);
    contents.drop(target->id);
  }
  TRY_ASSIGN(meta::Node moved, outside.nodes.move(node.id, new_parent, new_name));
  mine.parent = new_parent;
  mine.name = std::string(new_name);
  TRY_ASSIGN(moved, outside.nodes.put(mine));
  absent.add(node.parent, node.name, outside.clock.now());
  absent.remove(new_parent, new_name);
  if (file != nullptr) {
    const std::lock_guard lock(file->mutex);
    file->node.parent = new_parent;
    file->node.name = std::string(new_name);
    file->node.etag = mine.etag;
    if (file->upload != nullptr) {
      file->upload->abandon();
    }
    if (file->content != nullptr) {
      const std::lock_guard content_lock(file->content->mutex);
      file->content->etag = mine.etag;
    }
  }
  return {};
}

}  // namespace prefixfs::vfs
