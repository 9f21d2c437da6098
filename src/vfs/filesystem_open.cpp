// open, create, close: handles and what stands behind them.

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {
namespace {

bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

Error no_handle() { return {Errc::internal, "an unknown file handle", {}}; }

}  // namespace

Result<Opened> Filesystem::open(InodeId id, int flags, const Caller& caller) {
  if (!writes(flags)) {
    core_->files_ahead.opened(id, caller.context);  // from now on nobody else begins to fetch it
  }
  core_->files_ahead.wait_for(id, caller.context);
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  return of_known_inode(core_->open_known(id, flags, caller));
}

Result<Opened> Filesystem::Core::open_known(InodeId id, int flags, const Caller& caller) {
  if (writes(flags) || (flags & O_TRUNC) != 0) {
    TRY(writable());
  }
  if (const auto mine = written_here(id)) {
    return open_node(*mine, flags, caller);
  }
  TRY_ASSIGN(const meta::Node known, tree.node(id));
  if (known.kind == NodeKind::directory) {
    return fail(Errc::is_dir, known.name + " is a directory");
  }
  TRY_ASSIGN(meta::Node node, resolver.confirm_for_open(known, caller.context));
  if (node.id == id && !node.posix_exact && settings.dialect != MetadataDialect::off) {
    // The kernel has judged by the default mode that a listing leaves; the object's own may forbid what is asked for. Then it looks again.
    auto exact = resolver.fetch_first_block(node.parent, node.name, caller.context);
    if (!exact && !s3::is_outage(exact.error())) {
      return fail(exact.error());
    }
    node = exact ? std::move(*exact) : std::move(node);  // while S3 does not answer, nothing better is known
    if (!same_permissions(node.posix, known.posix)) {
      return fail(Errc::stale, node.name + " has other permissions than a listing shows");
    }
  }
  if (node.id != id || node.kind != NodeKind::file || node.size != known.size || untold.contains(id)) {
    // The kernel looks the name up again, and opens what it finds. (It would read a file of another size only up to the size it knows.)
    return fail(Errc::stale, node.name + " is another file now");
  }
  return open_node(node, flags, caller);
}

/// A file that this mount writes is as it is here; S3 is not asked.
std::optional<meta::Node> Filesystem::Core::written_here(InodeId id) const {
  const auto file = open_files.find(id);
  if (file == nullptr) {
    return std::nullopt;
  }
  const std::lock_guard lock(file->mutex);
  const bool mine = file->unlinked || file->leads_locked();
  return mine ? std::optional<meta::Node>(file->node) : std::nullopt;
}

Result<Opened> Filesystem::Core::open_node(const meta::Node& node, int flags, const Caller& caller) {
  const std::shared_ptr<OpenFile> file = open_files.acquire(node, writes(flags));
  const bool had_pages = [&] {
    const std::lock_guard lock(file->mutex);
    const auto cached = contents.peek(node.id, node.etag);
    return file->content != nullptr ? file->content->opened.load() : cached != nullptr && cached->opened;
  }();
  if (const auto prepared = prepare_content(*file, flags, caller); !prepared) {
    open_files.give_up(file, writes(flags));
    if (prepared.error().code == Errc::stale) {
      tree.doubt(node.id);  // the kernel looks the name up again, and finds what is there now
    }
    return fail(prepared.error());
  }
  const pid_t process = writes(flags) ? outside.processes.process_of(caller.thread) : 0;
  bool exact = false;
  {
    const std::lock_guard lock(file->mutex);
    exact = file->node.posix_exact;
    if (writes(flags) && file->used_by_locked(process)) {
      note_locked(*file);
    }
  }
  const ReadAhead planner({.first_block_bytes = settings.first_block_bytes,
                           .part_bytes = settings.read_part_bytes,
                           .parts_ahead = std::min<std::size_t>(settings.read_parts_ahead, settings.cache_bytes_max / settings.read_part_bytes),
                           .scattered_bytes_max = settings.cache_bytes_max / 2});
  return Opened{.handle = open_files.add_handle(file, flags, planner, writes(flags) ? caller.thread : 0),
                .keep_cache = had_pages && (flags & O_TRUNC) == 0,
                .first_exact = exact && !had_pages};
}

Result<void> Filesystem::Core::prepare_content(OpenFile& file, int flags, const Caller& caller) {
  std::shared_ptr<Content> content;
  bool fetch = false;
  {
    const std::lock_guard lock(file.mutex);
    if (file.content == nullptr && !file.unlinked) {
      if (file.moves.empty()) {
        // Between the caller's look and this open the last commit of somebody else here may have ended.
        TRY_ASSIGN(const std::optional<meta::Node> now, outside.nodes.get(file.node.id));
        file.node = now.value_or(file.node);
      }
      file.content = contents.take(file.node.id, file.node.etag);
    }
    if (file.content == nullptr) {
      TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, outside.stage.create(file.node.size));
      file.content = std::make_shared<Content>(std::move(staged), file.node.etag);
      // A small file that is to be changed is sent whole at close; fetched now, it can also be kept whole if close is refused.
      const bool wanted = !writes(flags) || file.node.size <= settings.first_block_bytes;
      fetch = wanted && file.node.size > 0 && !file.node.etag.empty();
    }
    content = file.content;
    content->opened = true;
    room.watch(content);
  }
  if ((flags & O_TRUNC) != 0) {
    return truncate_open(file, 0, caller);
  }
  if (fetch) {
    // An archived or vanished object is told at open, not at the first read; and that read will find its bytes.
    const ByteRange first{0, std::min<std::uint64_t>(content->file->size(), settings.first_block_bytes)};
    const auto there = fetch_for_reader(file, content, first, {.now = first, .ahead = {}}, caller.context);
    if (!there && !(writes(flags) && queues(there.error()))) {  // what is written in an outage needs nothing of what was there
      return there;
    }
  }
  return adopt_headers(file, *content);
}

/// The GET of the first bytes has told what a listing could not.
Result<void> Filesystem::Core::adopt_headers(OpenFile& file, Content& content) {
  const auto info = content.headers();
  const std::lock_guard lock(file.mutex);
  if (!info || file.unlinked || file.node.posix_exact || file.node.etag != info->etag) {
    return {};
  }
  TRY_ASSIGN(const std::optional<meta::Node> before, outside.nodes.get(file.node.id));
  committer.make_exact(file.node, *info);
  if (before && before->etag == info->etag && !before->posix_exact) {
    meta::Node exact = *before;
    committer.make_exact(exact, *info);
    TRY(outside.nodes.put_if_unchanged(*before, std::move(exact)));
  }
  return {};
}

Result<void> Filesystem::Core::truncate_open(OpenFile& file, std::uint64_t size, const Caller& caller) {
  TRY(see_newest(file, caller.context));
  return with_space(caller.context, [&] { return truncate_staged(file, size, caller.kills_set_id); });
}

Result<void> Filesystem::Core::truncate_staged(OpenFile& file, std::uint64_t size, bool kills_set_id) {
  const std::lock_guard lock(file.mutex);
  if (file.failed) {
    return fail(*file.failed);
  }
  if (settings.max_file_bytes && size > *settings.max_file_bytes) {
    return fail(Errc::too_large, fmt::format("{} bytes exceed max_file_size ({})", size, *settings.max_file_bytes));
  }
  TRY(own_content_locked(file, size));
  const std::uint64_t more = size - std::min(size, file.content->file->size());
  TRY(room.with(more, [&] { return file.content->file->resize(size); }));
  if (file.upload != nullptr) {
    file.upload->abandon();
  }
  file.appends = false;
  file.sequential_end = std::min(file.sequential_end, size);
  if (size == 0) {
    file.overwrites = !file.exclusive;
    file.unstored = true;
    file.stale = false;  // nothing of the version that is gone is left
    ++file.emptied;
  }
  if (kills_set_id) {
    drop_set_id(file.node.posix);
  }
  file.modified_locked(outside.clock.now());
  note_locked(file);
  return {};
}

Result<void> Filesystem::Core::own_content_locked(OpenFile& file, std::uint64_t size) {
  if (file.owed == nullptr || file.owed->content != file.content) {
    return {};
  }
  const std::shared_ptr<Content>& acknowledged = file.content;
  TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, room.with(acknowledged->file->allocated_bytes(), [&] {
    return size == 0 ? outside.stage.create(0) : outside.stage.clone(*acknowledged->file);
  }));
  std::shared_ptr<Content> own;
  {
    const std::lock_guard content_lock(acknowledged->mutex);
    own = std::make_shared<Content>(std::move(staged), acknowledged->etag);
    own->info = acknowledged->info;
  }
  own->opened = true;
  room.watch(own);
  file.content = std::move(own);
  file.upload.reset();
  return {};
}

Result<void> Filesystem::flush(HandleId id, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr) {
    return fail(no_handle());
  }
  OpenFile& file = *handle->file;
  {
    const std::lock_guard lock(file.mutex);
    // open(O_CREAT | O_RDONLY) makes an empty file, and nobody else will store it.
    const bool commits = handle->writable() || (file.unstored && file.writers == 0);
    // What another call is recording at this moment is not on the disk yet: commit() waits for it.
    if (!commits || !file.unrecorded_locked()) {
      return file.failed && handle->writable() ? Result<void>(fail(*file.failed)) : Result<void>();
    }
  }
  return core_->goes_on(file, caller.thread) ? Result<void>() : core_->commit(file, caller.context);
}

bool Filesystem::Core::any_has_descriptor(const std::vector<pid_t>& processes, InodeId inode) const {
  return std::ranges::any_of(processes, [&](pid_t process) { return outside.processes.has_descriptor(process, inode); });
}

/// Whether this close is not the end of what is being written: see Filesystem::flush.
bool Filesystem::Core::goes_on(OpenFile& file, pid_t thread) const {
  const pid_t process = outside.processes.process_of(thread);
  if (process == 0) {
    return false;
  }
  std::vector<pid_t> writers;
  InodeId inode = 0;
  bool untouched = false;
  {
    const std::lock_guard lock(file.mutex);
    writers = file.users;
    inode = file.node.id;
    untouched = file.untouched_locked();
  }
  if (std::ranges::find(writers, process) != writers.end()) {
    return untouched && outside.processes.has_descriptor(process, inode);
  }
  return any_has_descriptor(writers, inode);
}

Result<void> Filesystem::fsync(HandleId id, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  return handle == nullptr ? Result<void>(fail(no_handle())) : core_->commit(*handle->file, caller.context);
}

/// Under the name that the file has when nobody renames a directory above it.
Result<void> Filesystem::Core::commit(OpenFile& file, const CallContext& context) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, gate.change({{inode_of(file), {}}}, context));
  const Room::Storing storing(room);
  const WallTime began = outside.clock.now();
  TRY(write_back.commit(file, context));
  const std::lock_guard lock(file.mutex);
  if (!file.unlinked && !file.node.local && file.owed == nullptr && file.moves.empty() && file.node.checked_at >= began) {  // S3 has it under its name
    resolver.was_stored_in(file.node.parent, began);
  }
  return {};
}

InodeId Filesystem::Core::inode_of(OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  return file.node.id;
}

void Filesystem::release(HandleId id) {
  const auto handle = core_->open_files.handle(id);
  const bool stores = handle != nullptr && [&] {
    const std::lock_guard lock(handle->file->mutex);
    return handle->file->needs_commit_locked();
  }();
  const auto pass = stores ? std::optional(core_->gate.change({{Core::inode_of(*handle->file), {}}}, {})) : std::nullopt;
  if (handle != nullptr && !handle->writable()) {
    core_->note_read(*handle->file);
  }
  core_->close_handle(id);
}

/// Whether a program that has closed the file has read all of it; of one that comes whole with its first block nothing is learnt.
void Filesystem::Core::note_read(OpenFile& file) {
  std::shared_ptr<Content> content;
  InodeId directory = 0;
  {
    const std::lock_guard lock(file.mutex);
    content = file.content;
    directory = file.node.parent;
  }
  const std::uint64_t size = content != nullptr ? content->file->size() : 0;
  if (size > settings.first_block_bytes) {
    files_ahead.closed(directory, content->file->missing({0, size}).empty());
  }
}

/// What came after the last close: chmod or utimens of a file whose handle was on its way out, pages of a shared mapping, or nothing at all for
/// a new file that was closed empty while its process had it open still. What a close has been told is not tried again.
void Filesystem::Core::store_late(OpenFile& file) {
  {
    const std::lock_guard lock(file.mutex);
    if (file.handles > 1 || !file.owes_commit_locked()) {
      return;
    }
  }
  if (const auto stored = write_back.commit(file, {}); !stored) {
    outside.log.error("what was changed after the last close is not in S3: {}", describe(stored.error()));
  }
}

void Filesystem::Core::close_handle(HandleId id) {
  if (const auto handle = open_files.handle(id)) {
    close_file(*handle->file, [&] { return open_files.release(id); });
  }
}

void Filesystem::Core::close_file(OpenFile& file, const std::function<OpenFiles::Released()>& release) {
  auto released = release();
  while (released == OpenFiles::Released::owes_commit) {
    store_late(file);
    released = release();
  }
  if (released == OpenFiles::Released::file_still_open) {
    return;
  }
  committer.keep_bytes(file);
  const std::lock_guard lock(file.mutex);
  if (file.node.local && !file.unlinked) {
    // It never reached S3: the name goes with the last handle. What S3 has under it, perhaps from another client, must be asked.
    auto forgotten = outside.nodes.erase(file.node.parent, file.node.name);
    if (forgotten) {
      forgotten = outside.nodes.forget_listing(file.node.parent);
    }
    if (!forgotten) {
      outside.log.warn("the metadata cache keeps a name that is gone: {}", describe(forgotten.error()));
    }
    return;
  }
  const bool clean = file.content != nullptr && !file.content->file->changed();
  if (clean && !file.unlinked && !file.stale && !file.failed && !file.node.etag.empty()) {
    contents.put(file.node.id, file.content);
  }
}

}  // namespace prefixfs::vfs
