// unlink, mkdir, rmdir, rename.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>

#include "attributes.h"
#include "core.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {
namespace {

/// Keeps commits of one or two open files (each may be null) from running: they would write under a name that is about to go.
class NoCommits {
 public:
  explicit NoCommits(OpenFile* file, OpenFile* other = nullptr) {
    if (file != nullptr) {
      file_ = std::unique_lock(file->commit_mutex, std::defer_lock);
    }
    if (other != nullptr) {
      other_ = std::unique_lock(other->commit_mutex, std::defer_lock);
    }
    if (file != nullptr && other != nullptr) {
      std::lock(file_, other_);
    } else if (file != nullptr) {
      file_.lock();
    } else if (other != nullptr) {
      other_.lock();
    }
  }

 private:
  std::unique_lock<std::mutex> file_;
  std::unique_lock<std::mutex> other_;
};

}  // namespace

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
  const std::shared_ptr<OpenFile> file = core_->open_files.find(node->id);
  const NoCommits none(file.get());
  TRY(core_->detach(*node, caller.context));
  bool stored = !node->local;
  if (file != nullptr) {
    const std::lock_guard lock(file->mutex);
    stored = !file->node.etag.empty();
  }
  if (stored) {
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
  if (content == nullptr) {
    return {};
  }
  auto there = fetcher.ensure_all(content, committer.key_of(*file), context);
  if (!there && there.error().code == Errc::stale) {
    // Somebody else has replaced or deleted that version already. Its readers are told; the name can go all the same.
    const std::lock_guard lock(file->mutex);
    file->stale = true;
    return {};
  }
  return there;
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
  while (directory != meta::kRootInode) {
    const auto known = outside.nodes.get(directory);
    if (!known || !*known || !(*known)->etag.empty()) {
      return;
    }
    meta::Node node = **known;
    directory = node.parent;
    if (node.local) {
      continue;
    }
    node.local = true;
    if (const auto stored = outside.nodes.put(std::move(node)); !stored) {
      outside.log.warn("a directory without a marker may vanish with its last object: {}", describe(stored.error()));
    }
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
  if (known && !core_->resolver.left_behind(*known)) {
    return fail(Errc::exists, key.str() + " exists");
  }
  const WallTime now = core_->outside.clock.now();
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::directory, .checked_at = now};
  node.posix = {.mode = mode & 07777, .uid = caller.uid, .gid = caller.gid, .mtime_ns = now.time_since_epoch().count()};
  std::optional<ObjectInfo> nothing_before;
  TRY_ASSIGN(const meta::Node stored, core_->committer.store_attributes(node, nothing_before, caller.context));
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
  core_->keep_directory(parent);
  if (marker) {
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
  if (parent == new_parent && name == new_name) {
    return {};
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
  return core_->rename_file({*node, target, new_parent, new_name, no_replace}, caller.context);
}

Result<void> Filesystem::Core::rename_file(const Rename& rename, const CallContext& context) {
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  if (destination.str().size() > kKeyBytesMax) {
    return fail(Errc::name_too_long, destination.str() + " is longer than a key can be");
  }
  const auto file = open_files.find(rename.node.id);
  const auto replaced = rename.target ? open_files.find(rename.target->id) : nullptr;
  const NoCommits none(file.get(), replaced.get());
  meta::Node mine = rename.node;
  if (file != nullptr) {
    const std::lock_guard lock(file->mutex);
    mine = file->node;
  }
  if (rename.target) {
    TRY(detach(*rename.target, context));
  }
  if (!mine.etag.empty()) {
    TRY(move_object(rename, mine, context));
  }
  if (rename.target) {
    mark_unlinked(rename.target->id);
    contents.drop(rename.target->id);
  }
  mine.parent = rename.new_parent;
  mine.name = std::string(rename.new_name);
  absent.add(rename.node.parent, rename.node.name, outside.clock.now());
  TRY(outside.nodes.put(mine));
  absent.remove(mine.parent, mine.name);
  if (file != nullptr) {
    adopt_name(*file, mine, rename.no_replace);
  }
  return {};
}

/// As far as it is known without asking: the encryption is told by GET and HEAD only, the storage class by listings too.
s3::StorageChoice Filesystem::Core::storage_choice(const meta::Node& node) {
  std::shared_ptr<Content> content = contents.peek(node.id, node.etag);
  if (const auto file = open_files.find(node.id)) {
    const std::lock_guard lock(file->mutex);
    content = file->content;
  }
  const auto info = content != nullptr ? content->headers() : std::nullopt;
  return s3::storage_of(info && info->etag == node.etag ? *info : ObjectInfo{.storage_class = node.storage_class});
}

/// Copy, then delete. `mine` gets the version that is under the new name then.
Result<void> Filesystem::Core::move_object(const Rename& rename, meta::Node& mine, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(mine.parent, mine.name));
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  const bool conditional = rename.no_replace && outside.store.capabilities().conditional_copy == s3::Support::yes;
  const s3::CopyOptions options{.replace = {},
                                .storage = storage_choice(mine),
                                .condition = conditional ? s3::WriteCondition::if_absent() : s3::WriteCondition::none()};
  const auto copied = sync::copy_object(outside.store, {.key = source, .if_match = mine.etag}, mine.size, destination, options, context);
  if (!copied) {
    Error error = copied.error();
    if (error.code == Errc::conflict || error.code == Errc::not_found) {
      // What is known of the source is out of date (or, with a condition, of the destination). The kernel looks again after ESTALE.
      tree.doubt(mine.id);
      error.code = error.code == Errc::not_found ? Errc::not_found : conditional ? Errc::exists : Errc::stale;
    }
    return fail(std::move(error));
  }
  keep_directory(mine.parent);
  if (auto removed = outside.store.remove(source, ETag(), context); !removed) {
    // Now there are two. The caller may rename again; what is under the new name is asked of S3.
    absent.remove(rename.new_parent, rename.new_name);
    TRY(outside.nodes.forget_listing(rename.new_parent));
    if (rename.target) {
      tree.doubt(rename.target->id);
    }
    return fail(removed.error());
  }
  if (copied->etag != mine.etag) {
    contents.drop(mine.id);
  }
  mine.etag = copied->etag;
  mine.last_modified = {};  // what the answer says may be a moment off; the next listing will tell
  mine.checked_at = outside.clock.now();
  return {};
}

void Filesystem::Core::adopt_name(OpenFile& file, const meta::Node& mine, bool no_replace) {
  const std::lock_guard lock(file.mutex);
  file.node.parent = mine.parent;
  file.node.name = mine.name;
  file.node.etag = mine.etag;
  file.node.last_modified = mine.last_modified;
  if (file.unstored && mine.etag.empty()) {
    // Created with O_EXCL under the old name; a rename replaces what has the new one.
    file.exclusive = no_replace;
    file.presumed_new = false;
    file.overwrites = !no_replace;
  }
  if (file.upload != nullptr) {
    file.upload->abandon();
  }
  if (file.content != nullptr) {
    const std::lock_guard content_lock(file.content->mutex);
    file.content->etag = mine.etag;
    if (file.content->info) {
      file.content->info->etag = mine.etag;
    }
  }
}

}  // namespace prefixfs::vfs
