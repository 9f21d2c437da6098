// setattr: truncate, chmod, chown, utimens.

#include <fcntl.h>

#include "core.h"

namespace prefixfs::vfs {

Result<Entry> Filesystem::setattr(InodeId id, std::optional<HandleId>, const SetAttributes& changes, const Caller& caller) {
  TRY(core_->writable());
  meta::Node node;
  if (const auto file = core_->open_files.find(id)) {
    const std::lock_guard lock(file->mutex);
    node = file->node;
  } else {
    TRY_ASSIGN(node, core_->tree.node(id));
  }
  if (changes.size) {
    if (node.kind == NodeKind::directory) {
      return fail(Errc::is_dir, node.name + " is a directory");
    }
    TRY(core_->resize(node, *changes.size, caller.context));
  }
  if (changes.mode || changes.uid || changes.gid || changes.mtime_ns) {
    return core_->change_attributes(node, changes, caller.context);
  }
  return getattr(id, caller);
}

Result<void> Filesystem::Core::resize(const meta::Node& node, std::uint64_t size, const CallContext& context) {
  if (const auto file = open_files.find(node.id)) {
    return truncate_open(*file, size, context);
  }
  // truncate(2) of a file that nobody has open: open, cut, close.
  TRY_ASSIGN(const meta::Node current, resolver.confirm(node, context));
  if (current.id != node.id) {
    return fail(Errc::stale, node.name + " is another file now");
  }
  TRY_ASSIGN(const Opened opened, open_node(current, O_WRONLY, context));
  const auto handle = open_files.handle(opened.handle);
  auto done = truncate_open(*handle->file, size, context);
  if (done) {
    done = committer.commit(*handle->file, context);
  }
  close_handle(opened.handle);
  return done;
}

Result<Entry> Filesystem::Core::change_attributes(const meta::Node& node, const SetAttributes& changes, const CallContext& context) {
  const auto apply = [&](meta::Node& changed) {
    PosixAttributes& posix = changed.posix;
    posix.mode = changes.mode ? *changes.mode & 07777 : posix.mode;
    posix.uid = changes.uid.value_or(posix.uid);
    posix.gid = changes.gid.value_or(posix.gid);
    posix.mtime_ns = changes.mtime_ns.value_or(posix.mtime_ns);
  };
  if (const auto file = open_files.find(node.id)) {
    const std::lock_guard lock(file->mutex);
    if (file->unlinked || file->writers > 0 || file->needs_commit_locked()) {
      // It goes out with the bytes, at close.
      apply(file->node);
      file->attributes_changed = true;
      file->explicit_mtime = file->explicit_mtime || changes.mtime_ns.has_value();
      meta::Node mine = file->node;
      mine.size = file->content != nullptr ? file->content->file->size() : mine.size;
      return Entry{.attributes = attributes(mine), .valid_for = {}};
    }
  }
  if (node.id == meta::kRootInode) {
    return fail(Errc::unsupported, "the attributes of the mount's root are options of the mount (uid, gid, umask)");
  }
  meta::Node changed = node;
  apply(changed);
  if (settings.dialect == MetadataDialect::off || changed.posix == node.posix) {
    // Without stored attributes a change could not last; rsync and cp -p may go on all the same.
    return entry(node);
  }
  TRY_ASSIGN(const meta::Node stored, committer.store_attributes(changed, context));
  if (const auto content = contents.take(node.id, node.etag)) {
    content->etag = stored.etag;
    content->info.reset();
    contents.put(node.id, content);
  }
  if (const auto file = open_files.find(node.id)) {
    const std::lock_guard lock(file->mutex);
    file->node = stored;
    if (file->content != nullptr) {
      const std::lock_guard content_lock(file->content->mutex);
      file->content->etag = stored.etag;
      file->content->info.reset();
    }
  }
  return entry(stored);
}

}  // namespace prefixfs::vfs
