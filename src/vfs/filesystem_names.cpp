// unlink, mkdir, rmdir, rename.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>

#include "attributes.h"
#include "core.h"
#include "prefixfs/s3/client.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {
namespace {

/// Keeps commits of one or two open files from running: they would write under a name that is about to go.
class NoCommits {
 public:
  explicit NoCommits(OpenFile& file) : file_(file.commit_mutex) {}
  NoCommits(OpenFile& file, OpenFile& other) : file_(file.commit_mutex, std::defer_lock), other_(other.commit_mutex, std::defer_lock) {
    std::lock(file_, other_);
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
  const Core::HeldFile file(*core_, *node);
  const NoCommits none(*file);
  TRY_ASSIGN(const Pin bytes, core_->detach(*node, caller.context));
  bool stored = false;
  {
    const std::lock_guard lock(file->mutex);
    stored = !file->node.etag.empty() || !file->node.local || file->maybe_stored;
  }
  if (stored) {
    core_->keep_directory(parent);
    TRY(core_->outside.store.remove(key, ETag(), caller.context));
  }
  core_->mark_unlinked(node->id);
  core_->contents.drop(node->id);
  return core_->resolver.store_absence(parent, name, core_->outside.clock.now());
}

Result<Pin> Filesystem::Core::detach(const meta::Node& node, const CallContext& context) {
  const auto file = open_files.find(node.id);
  if (file == nullptr) {
    return Pin();
  }
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file->mutex);
    content = file->content;
  }
  if (content == nullptr) {
    return Pin();
  }
  Pin pin(content, kWholeFile);
  std::uint64_t missing = 0;
  for (const ByteRange& gap : content->file->missing(kWholeFile)) {
    missing += gap.length();
  }
  if (missing > settings.cache_bytes_max) {
    outside.log.warn("{} goes while it is open here; {} bytes of it are not local, more than cache_size: its readers get ESTALE",
                     node.name, missing);
    return pin;
  }
  const auto there = fetcher.ensure_all(content, committer.key_of(*file), context);
  if (there) {
    return pin;
  }
  switch (there.error().code) {
    case Errc::stale:        // somebody else has replaced or deleted that version already
    case Errc::no_space:
    case Errc::denied:       // and so nobody here could have read it
    case Errc::unsupported:  // archived
      outside.log.warn("{} goes while it is open here, and its readers get ESTALE: {}", node.name, describe(there.error()));
      return pin;
    default:
      return fail(there.error());
  }
}

void Filesystem::Core::mark_unlinked(InodeId id) {
  if (const auto file = open_files.find(id)) {
    const std::lock_guard lock(file->mutex);
    file->unlinked = true;
    if (file->content != nullptr) {
      file->content->irreplaceable = true;
      file->stale = file->stale || !file->content->file->missing(kWholeFile).empty();
    }
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
  if (key.str().size() > core_->settings.key_bytes_max) {
    return fail(Errc::name_too_long, fmt::format("the key of {} has {} bytes below the prefix; S3 allows {}", name, key.str().size(),
                                            core_->settings.key_bytes_max));
  }
  TRY_ASSIGN(const std::optional<meta::Node> known, core_->outside.nodes.find(parent, name));
  if (known && !core_->resolver.left_behind(*known)) {
    return fail(Errc::exists, key.str() + " exists");
  }
  const WallTime now = core_->outside.clock.now();
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::directory, .checked_at = now};
  node.posix = {.mode = mode & 07777, .uid = caller.uid, .gid = caller.gid, .mtime_ns = now.time_since_epoch().count()};
  std::optional<ObjectInfo> nothing_before;
  TRY_ASSIGN(node, core_->committer.store_attributes(node, nothing_before, caller.context));
  TRY_ASSIGN(const meta::Node stored, core_->outside.nodes.put(std::move(node)));
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
  if (!others) {
    others = !children.empty();  // which has to do where listing is not allowed
    const bool ask = core_->rights.may_list();
    const auto below = ask ? core_->lister.look_below(key.str(), caller.context) : Result<Lister::BelowOutcome>();
    if (ask && below) {
      marker = below->marker.has_value();
      others = below->others;
    } else if (!below && (below.error().code != Errc::denied || core_->rights.may_list())) {
      return fail(below.error());
    }
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
  if (destination.str().size() > settings.key_bytes_max) {
    return fail(Errc::name_too_long, destination.str() + " is longer than a key can be");
  }
  const HeldFile file(*this, rename.node);
  std::optional<HeldFile> replaced;
  std::optional<NoCommits> none;
  Pin replaced_bytes;
  if (rename.target) {
    replaced.emplace(*this, *rename.target);
    none.emplace(*file, **replaced);
    TRY_ASSIGN(replaced_bytes, detach(*rename.target, context));
  } else {
    none.emplace(*file);
  }
  meta::Node mine = node_of(*file);
  TRY_ASSIGN(const bool free, move_object(*file, rename, mine, context));
  if (rename.target) {
    mark_unlinked(rename.target->id);
    contents.drop(rename.target->id);
  }
  mine.parent = rename.new_parent;
  mine.name = std::string(rename.new_name);
  if (free) {
    absent.add(rename.node.parent, rename.node.name, outside.clock.now());
  } else {
    TRY(outside.nodes.forget_listing(rename.node.parent));
  }
  TRY(outside.nodes.put(mine));
  absent.remove(mine.parent, mine.name);
  adopt_name(*file, mine, rename.no_replace);
  return {};
}

/// The headers of the object, where the rename has to know them: a temporary name says nothing of the content, the final name does.
Result<std::optional<ObjectInfo>> Filesystem::Core::info_for_rename(OpenFile& file, const Rename& rename, const meta::Node& mine,
                                                                    const CallContext& context) {
  const std::shared_ptr<Content> content = content_of(file);
  if (s3::content_type_of(mine.name) != s3::content_type_of(rename.new_name)) {
    return committer.version_info(mine, content, context);
  }
  auto info = content != nullptr ? content->headers() : std::nullopt;
  return info && info->etag == mine.etag ? std::move(info) : std::nullopt;
}

s3::CopyOptions Filesystem::Core::rename_options(const Rename& rename, const meta::Node& mine, const std::optional<ObjectInfo>& info) const {
  // The encryption is told by GET and HEAD only, the storage class by listings too.
  s3::CopyOptions options{.replace = {}, .storage = s3::storage_of(info ? *info : ObjectInfo{.storage_class = mine.storage_class}), .condition = {}};
  if (rename.no_replace && outside.store.capabilities().conditional_copy == s3::Support::yes) {
    options.condition = s3::WriteCondition::if_absent();
  }
  const std::string type = s3::content_type_of(rename.new_name);
  if (info && info->content_type == s3::content_type_of(mine.name) && info->content_type != type) {
    options.replace = s3::headers_of(*info);
    options.replace->content_type = type;
  }
  return options;
}

/// Copy, then delete. `mine` gets the version that is under the new name then.
Result<bool> Filesystem::Core::move_object(OpenFile& file, const Rename& rename, meta::Node& mine, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(mine.parent, mine.name));
  if (mine.etag.empty()) {
    const bool maybe_stored = [&] {
      const std::lock_guard lock(file.mutex);
      return std::exchange(file.maybe_stored, false);
    }();
    return maybe_stored ? remove_renamed(rename, source, ETag(), context) : Result<bool>(true);
  }
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  TRY_ASSIGN(const auto info, info_for_rename(file, rename, mine, context));
  const s3::CopyOptions options = rename_options(rename, mine, info);
  const auto copied = sync::copy_object(outside.store, {.key = source, .if_match = mine.etag}, mine.size, destination, options, context);
  if (!copied) {
    Error error = copied.error();
    if (error.code == Errc::conflict || error.code == Errc::not_found) {
      // What is known of the source is out of date (or, with a condition, of the destination). The kernel looks again after ESTALE.
      tree.doubt(mine.id);
      const bool taken = options.condition.kind != s3::WriteCondition::Kind::none;
      error.code = error.code == Errc::not_found ? Errc::not_found : taken ? Errc::exists : Errc::stale;
    }
    return fail(std::move(error));
  }
  keep_directory(mine.parent);
  TRY_ASSIGN(const bool free, remove_renamed(rename, source, mine.etag, context));
  if (copied->etag != mine.etag) {
    contents.drop(mine.id);
  }
  mine.etag = copied->etag;
  mine.last_modified = {};  // what the answer says may be a moment off; the next listing will tell
  mine.checked_at = outside.clock.now();
  return free;
}

/// Whether the old name is free now. Another client's newer version of it stays.
Result<bool> Filesystem::Core::remove_renamed(const Rename& rename, const Key& source, const ETag& version, const CallContext& context) {
  auto removed = outside.store.remove(source, version, context);
  if (removed || removed.error().code == Errc::not_found) {
    return true;
  }
  if (removed.error().code == Errc::conflict) {
    outside.log.info("{} was written by another client while it was renamed here; that version stays", source.str());
    return false;
  }
  // Now there are two. The caller may rename again; what is under the new name is asked of S3.
  absent.remove(rename.new_parent, rename.new_name);
  TRY(outside.nodes.forget_listing(rename.new_parent));
  if (rename.target) {
    tree.doubt(rename.target->id);
  }
  return fail(removed.error());
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
