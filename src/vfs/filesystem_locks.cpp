// fcntl and flock between hosts: what a lock means for the bytes that it guards. Who holds it is told by module locks.

#include <fmt/format.h>

#include "attributes.h"
#include "core.h"
#include "first_block.h"
#include "open_note.h"

namespace prefixfs::vfs {
namespace {

Error no_handle() { return {Errc::internal, "a lock call with an unknown file handle", {}}; }

/// What was made here, and nobody has written to: another host may have made it too, and filled it.
bool is_untouched_locked(const OpenFile& file) { return file.untouched_locked() && !file.exclusive; }

/// This mount has what S3 has not, or holds what has gone.
bool goes_its_way_locked(const OpenFile& file) {
  const bool unstored = file.needs_commit_locked() && !is_untouched_locked(file);
  return unstored || file.unlinked || file.failed || file.owed != nullptr || !file.moves.empty() || !file.intents.empty();
}

}  // namespace

bool Filesystem::shares_locks() const { return core_->outside.locks != nullptr; }

Result<locks::File> Filesystem::Core::file_to_lock(OpenFile& file) const {
  meta::Node node;
  {
    const std::lock_guard lock(file.mutex);
    node = file.node;
  }
  TRY_ASSIGN(Key key, tree.file_key(node.parent, node.name));
  return locks::File{.inode = node.id, .key = std::move(key)};
}

Result<void> Filesystem::lock(HandleId id, const locks::Lock& wanted, locks::Locks::Wait wait, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr || core_->outside.locks == nullptr) {
    return fail(no_handle());
  }
  TRY_ASSIGN(const locks::File file, core_->file_to_lock(*handle->file));
  TRY(core_->outside.locks->lock(file, wanted, wait, caller.context));
  // A lock may guard any file: all that is opened from now on is as S3 has it.
  core_->resolver.doubt_before(core_->outside.clock.now());
  handle->file->doubted = true;
  return {};
}

Result<void> Filesystem::unlock(HandleId id, const locks::Owner& owner, ByteRange range, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr || core_->outside.locks == nullptr) {
    return fail(no_handle());
  }
  TRY_ASSIGN(const locks::File file, core_->file_to_lock(*handle->file));
  if (!core_->outside.locks->concerns(file, owner, range)) {
    return {};
  }
  auto delivered = core_->deliver_before_unlock(*handle->file, caller.context);
  core_->outside.locks->unlock(file, owner, range, caller.context);
  return delivered;
}

void Filesystem::closing(HandleId id) {
  const auto handle = core_->open_files.handle(id);
  const auto file = handle != nullptr ? core_->file_to_lock(*handle->file) : Result<locks::File>(fail(no_handle()));
  if (file && core_->outside.locks != nullptr) {
    core_->outside.locks->closing(*file, id);
  }
}

Result<void> Filesystem::unlock_released(HandleId id, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr || core_->outside.locks == nullptr) {
    return fail(no_handle());
  }
  TRY_ASSIGN(const locks::File file, core_->file_to_lock(*handle->file));
  if (!core_->outside.locks->concerns_handle(file, id)) {
    return {};
  }
  core_->outside.locks->closing(file, id);
  auto delivered = core_->deliver_before_unlock(*handle->file, caller.context);
  core_->outside.locks->unlock_handle(file, id, caller.context);
  return delivered;
}

/// Whoever has the lock next must find in S3 what was written under this one: in this file, and in those that were closed since.
Result<void> Filesystem::Core::deliver_before_unlock(OpenFile& file, const CallContext& context) {
  const bool commits = [&] {
    const std::lock_guard lock(file.mutex);
    return file.needs_commit_locked();
  }();
  if (commits) {
    TRY(commit(file, context));
  }
  TRY(write_back.wait_for(file, context));
  return write_back.wait_for_all(context);
}

Result<std::optional<locks::Lock>> Filesystem::lock_in_the_way(HandleId id, const locks::Lock& wanted, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr || core_->outside.locks == nullptr) {
    return fail(no_handle());
  }
  TRY_ASSIGN(const locks::File file, core_->file_to_lock(*handle->file));
  return core_->outside.locks->in_the_way_of(file, wanted, caller.context);
}

/// With an exclusive lock gone, another host may be writing by now: what was written here and is not stored must not reach S3.
void Filesystem::Core::lost_locks(const locks::Lost& lost) {
  for (const InodeId inode : lost.inodes) {
    const auto file = open_files.find(inode);
    if (file == nullptr || !lost.exclusive) {
      continue;
    }
    {
      const std::lock_guard lock(file->mutex);
      if (file->writers == 0 || file->failed) {
        continue;
      }
      file->failed = Error{Errc::io, fmt::format("{} was locked by this host, and the lock was lost: {}", file->node.name, lost.why), {}};
      if (file->upload != nullptr) {
        file->upload->abandon();
      }
    }
    tell_of(inode);
  }
}

Result<void> Filesystem::Core::see_newest(OpenFile& file, const CallContext& context) {
  if (!file.doubted) {
    return {};
  }
  {
    const std::lock_guard one_at_a_time(file.commit_mutex);
    while (file.doubted) {
      TRY(ask_for_newest(file, context));
    }
  }
  tell_of(inode_of(file));
  return {};
}

/// With file.commit_mutex held. Still in doubt afterwards: the file got another name meanwhile.
Result<void> Filesystem::Core::ask_for_newest(OpenFile& file, const CallContext& context) {
  meta::Node node;
  bool untouched = false;
  {
    const std::lock_guard lock(file.mutex);
    if (goes_its_way_locked(file)) {
      file.doubted = false;
      return {};
    }
    node = file.node;
    untouched = is_untouched_locked(file);
  }
  TRY_ASSIGN(const Key key, tree.file_key(node.parent, node.name));
  const WallTime asked = outside.clock.now();
  FirstBlockSink block(outside.stage);
  const s3::GetOptions options{.range = ByteRange{0, settings.first_block_bytes}, .if_match = {}, .if_none_match = node.etag};
  const auto answer = outside.store.get(key, options, block, context);
  if (answer && answer->not_modified) {
    file.doubted = false;
    confirm_version(node, asked);
    return {};
  }
  if (answer) {
    return go_on_from_newest(file, answer->info, block.take(answer->info), asked);
  }
  const Error& error = answer.error();
  const bool refused = error.code == Errc::denied && error.origin.missing_right.empty() && rights.list_was_refused();
  if (!refused && (error.code != Errc::not_found || error.origin.s3_code == "NoSuchBucket")) {
    return fail(error);
  }
  const std::lock_guard lock(file.mutex);
  const auto key_now = tree.file_key(file.node.parent, file.node.name);
  if (key_now && *key_now != key) {
    return {};
  }
  file.doubted = false;
  file.stale = !untouched;
  return untouched ? Result<void>() : fail(Errc::stale, node.name + " was deleted by another client");
}

/// S3 has confirmed it, as a lookup would have.
void Filesystem::Core::confirm_version(const meta::Node& node, WallTime asked) {
  const auto record = outside.nodes.get(node.id);
  if (!record || !*record || (*record)->etag != node.etag || (*record)->checked_at >= asked) {
    return;
  }
  meta::Node confirmed = **record;
  confirmed.checked_at = asked;
  if (const auto known = outside.nodes.put_if_unchanged(**record, std::move(confirmed)); !known) {
    outside.log.warn("the metadata cache did not take {}: {}", node.name, describe(known.error()));
  }
}

/// The same inode with another version: programs have asked for that by locking it. The kernel learns it by the size and mtime that it asks for before each read.
Result<void> Filesystem::Core::go_on_from_newest(OpenFile& file, const ObjectInfo& newest, std::shared_ptr<Content> block, WallTime asked) {
  if (type_from(newest, settings).kind != NodeKind::file) {
    return fail(Errc::stale, newest.key.str() + " is no file any more");
  }
  if (block == nullptr) {
    TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, outside.stage.create(newest.size));
    block = std::make_shared<Content>(std::move(staged), newest.etag);
    block->info = newest;
  }
  block->opened = true;
  room.watch(block);
  const std::lock_guard lock(file.mutex);
  file.doubted = false;
  if (goes_its_way_locked(file)) {
    return {};  // a chmod has come meanwhile: its commit finds out what is there
  }
  file.content = std::move(block);
  file.upload.reset();
  file.unstored = false;
  file.presumed_new = false;
  file.overwrites = false;
  file.stale = false;
  file.appends = true;
  file.sequential_end = 0;
  meta::Node& node = file.node;
  node.local = false;
  node.etag = newest.etag;
  node.size = newest.size;
  node.last_modified = newest.last_modified;
  node.storage_class = newest.storage_class;
  node.posix = attributes_from(newest, settings, NodeKind::file);
  node.posix_exact = newest.complete;
  node.changed_at = {};
  node.checked_at = asked;
  note_locked(file);
  untold.add(node.id);
  TRY(outside.nodes.put(node));
  return {};
}

}  // namespace prefixfs::vfs
