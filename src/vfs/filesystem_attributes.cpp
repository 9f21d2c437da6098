// setattr: truncate, chmod, chown, utimens.

#include <fcntl.h>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {

Result<Entry> Filesystem::setattr(InodeId id, std::optional<HandleId> handle, const SetAttributes& asked, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{id, {}}}, caller.context));
  return core_->or_nameless(id, core_->set_attributes(id, handle, asked, caller));
}

Result<Entry> Filesystem::Core::set_attributes(InodeId id, std::optional<HandleId> handle, const SetAttributes& asked, const Caller& caller) {
  meta::Node node;
  if (const auto file = open_files.find(id)) {
    const std::lock_guard lock(file->mutex);
    node = file->node;
  } else {
    TRY_ASSIGN(node, tree.node(id));
  }
  SetAttributes changes = asked;
  // As Linux does, whoever asks: the new owner has not made it what it is.
  changes.drops_set_id = (changes.uid || changes.gid) && node.kind != NodeKind::directory;
  if (changes.size) {
    if (node.kind == NodeKind::directory) {
      return fail(Errc::is_dir, node.name + " is a directory");
    }
    TRY(of_known_inode(resize(node, *changes.size, handle, caller)));
    if (const auto now = outside.nodes.get(id); now && *now) {
      node = **now;
    }
  }
  if (changes.mode || changes.uid || changes.gid || changes.mtime_ns || changes.atime_ns) {
    return of_known_inode(change_attributes(node, changes, caller.context));
  }
  return attributes_now(id, caller.context);
}

Result<void> Filesystem::Core::resize(const meta::Node& node, std::uint64_t size, std::optional<HandleId> through, const Caller& caller) {
  const CallContext& context = caller.context;
  if (const auto handle = through ? open_files.handle(*through) : nullptr; handle != nullptr && handle->writable()) {
    return truncate_open(*handle->file, size, caller);  // stored by its close
  }
  // truncate(2): open, cut, close.
  std::optional<meta::Node> mine = written_here(node.id);
  TRY_ASSIGN(const meta::Node current, mine ? Result<meta::Node>(std::move(*mine)) : resolver.confirm_for_open(node, context));
  if (current.id != node.id) {
    return fail(Errc::stale, node.name + " is another file now");
  }
  TRY_ASSIGN(const Opened opened, open_node(current, O_WRONLY, {.context = context}));
  const auto handle = open_files.handle(opened.handle);
  auto done = truncate_open(*handle->file, size, caller);
  if (done) {
    done = write_back.commit(*handle->file, context);
  }
  close_handle(opened.handle);
  return done;
}

Result<Entry> Filesystem::Core::change_attributes(const meta::Node& node, const SetAttributes& changes, const CallContext& context) {
  if (const auto file = open_files.find(node.id)) {
    TRY_ASSIGN(const std::optional<Entry> done, change_open(*file, changes, context));
    if (done) {
      return *done;
    }
  }
  // The last commit of a file that was closed meanwhile is in the cache.
  TRY_ASSIGN(const std::optional<meta::Node> stored, outside.nodes.get(node.id));
  const meta::Node current = stored.value_or(node);
  if (node.id == meta::kRootInode) {
    // There is no object that could hold them; this host remembers them, so that cp -a, tar and rsync can copy onto the root.
    meta::Node root = current;
    root.posix = root_attributes(current);
    apply(changes, root, outside.clock.now());
    root.posix_exact = true;
    TRY_ASSIGN(root, outside.nodes.put(std::move(root)));
    return entry(root);
  }
  meta::Node changed = current;
  apply(changes, changed.posix);
  if (settings.dialect == MetadataDialect::off || (current.posix_exact && changed.posix == current.posix)) {
    // Without stored attributes a change could not last; rsync and cp -p may go on all the same. ctime is this host's alone.
    changed = current;
    changed.changed_at = outside.clock.now();
    TRY_ASSIGN(const std::optional<meta::Node> now, outside.nodes.put_if_unchanged(current, changed));
    return entry(now.value_or(current));
  }
  return change_stored(current, changes, context);
}

/// Of a file that is being written, or owed: it goes out with the bytes. Nothing, where the file is only read, or where its last handle
/// has gone meanwhile.
Result<std::optional<Entry>> Filesystem::Core::change_open(OpenFile& file, const SetAttributes& changes, const CallContext& context) {
  const auto at_close = [&] { return (file.handles > 0 || file.owed != nullptr) && (file.unlinked || file.written_locked()); };
  meta::Node before;
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file.mutex);
    if (!at_close()) {
      return std::optional<Entry>();
    }
    before = file.node;
    content = file.content;
  }
  std::optional<ObjectInfo> info;
  if (!before.posix_exact && !before.etag.empty()) {
    TRY_ASSIGN(info, committer.version_info(committer.key_of(file)(), before.etag, content, context));
  }
  meta::Node mine;
  bool closed = false;
  std::vector<pid_t> writers;
  {
    const std::lock_guard lock(file.mutex);
    if (!at_close()) {
      return std::optional<Entry>();
    }
    if (info) {
      committer.make_exact(file.node, *info);
    }
    apply(changes, file.node, outside.clock.now());
    file.attributes_changed = true;
    file.explicit_mtime = file.explicit_mtime || changes.mtime_ns.has_value();
    note_locked(file);
    mine = file.node;
    mine.size = file.content != nullptr ? file.content->file->size() : mine.size;
    closed = file.owed != nullptr && file.writers == 0;
    // All its bytes are stored, so it may be closed already: the kernel tells of the end of a handle a while after close() has returned.
    if (file.owes_commit_locked() && !file.unstored && !file.content_changed_locked()) {
      writers = file.users;
    }
  }
  if (closed || (!writers.empty() && !any_has_descriptor(writers, mine.id))) {
    TRY(write_back.commit(file, context));  // no close will come
  }
  return std::optional<Entry>({.attributes = attributes(mine), .valid_for = {}});
}

Result<Entry> Filesystem::Core::change_stored(const meta::Node& node, const SetAttributes& changes, const CallContext& context) {
  if (node.kind != NodeKind::directory) {
    return change_stored_file(node, changes, context);
  }
  meta::Node changed = node;
  std::optional<ObjectInfo> info;
  const bool journalled = write_back.acknowledges_directories();
  if (!node.posix_exact) {
    TRY_ASSIGN(const Key key, tree.key_of(node));
    auto told = committer.version_info(key, node.etag, nullptr, context);
    if (!told && !(journalled && s3::is_outage(told.error()))) {
      return fail(told.error());
    }
    info = told ? std::move(*told) : std::nullopt;
  }
  if (info) {
    committer.make_exact(changed, *info);
  }
  apply(changes, changed, outside.clock.now());
  if (journalled) {
    changed.posix_exact = true;
    TRY_ASSIGN(const meta::Node owed, write_back.make_directory(std::move(changed), true));
    return entry(owed);
  }
  TRY_ASSIGN(changed, committer.store_attributes(changed, info, context));
  TRY_ASSIGN(const meta::Node stored, outside.nodes.put(std::move(changed)));
  return entry(stored);
}

Result<Entry> Filesystem::Core::change_stored_file(const meta::Node& known, const SetAttributes& changes, const CallContext& context) {
  // Who opens the file while S3 copies joins this one, and commits afterwards, on top of the new version.
  const HeldFile file(*this, known);
  const std::lock_guard no_commits(file->commit_mutex);
  const meta::Node node = node_of(*file);
  if (write_back.acknowledges_moves(*file)) {
    TRY(write_back.change_attributes(file.shared(), changes));
    const std::lock_guard lock(file->mutex);
    return Entry{.attributes = attributes(file->node), .valid_for = {}};
  }
  std::shared_ptr<Content> content = content_of(*file);
  meta::Node changed = node;
  TRY_ASSIGN(std::optional<ObjectInfo> info, committer.version_info(committer.key_of(*file)(), node.etag, content, context));
  if (info && !node.posix_exact && type_from(*info, settings).kind != node.kind) {
    tree.doubt(node.id);
    return fail(Errc::stale, node.name + " is another kind of file than a listing shows");
  }
  if (info) {
    committer.make_exact(changed, *info);
  }
  apply(changes, changed, outside.clock.now());
  auto stored = committer.store_attributes(changed, info, context);
  if (!stored && queues(stored.error())) {
    TRY(write_back.change_attributes(file.shared(), changes));
    const std::lock_guard lock(file->mutex);
    return Entry{.attributes = attributes(file->node), .valid_for = {}};
  }
  TRY_ASSIGN(changed, std::move(stored));
  const std::lock_guard lock(file->mutex);
  // The bytes are the same, so what is local of them belongs to the new version.
  content = file->content != nullptr ? file->content : content;
  if (content != nullptr) {
    const std::lock_guard content_lock(content->mutex);
    content->etag = changed.etag;
    content->info = std::move(info);
  }
  TRY_ASSIGN(file->node, outside.nodes.put(std::move(changed)));
  return Entry{.attributes = attributes(file->node), .valid_for = resolver.remaining(file->node.checked_at)};
}

/// What is local of a held file: its own content, or that which waits in the cache.
std::shared_ptr<Content> Filesystem::Core::content_of(OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  return file.content != nullptr ? file.content : contents.peek(file.node.id, file.node.etag);
}

}  // namespace prefixfs::vfs
