// read and write.

#include <fcntl.h>
#include <fmt/format.h>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {
namespace {

/// Some of a part may be local, so that less than all of it is on its way; more than one and a half are two.
bool two_parts_on_their_way(Content& content, std::uint64_t part_bytes) { return content.bytes_in_flight() > part_bytes + part_bytes / 2; }

}  // namespace

Result<std::size_t> Filesystem::read(HandleId id, std::uint64_t offset, std::span<std::byte> out, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr) {
    return fail(Errc::internal, "read with an unknown file handle");
  }
  OpenFile& file = *handle->file;
  TRY(core_->see_newest(file, caller.context));
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file.mutex);
    if (file.stale) {
      return fail(Errc::stale, fmt::format("the version of {} that is open here is gone from S3", file.node.name));
    }
    content = file.content;
  }
  const std::uint64_t size = content->file->size();
  if (offset >= size) {
    return std::size_t{0};
  }
  const ByteRange wanted{offset, std::min(size, offset + out.size())};
  const Pin pin(content, wanted);
  const bool is_local = content->file->missing(wanted).empty();
  ReadAhead::Plan plan;
  {
    const std::lock_guard lock(handle->mutex);
    plan = handle->readahead.plan(wanted, size, is_local);
  }
  if (plan.scattered && two_parts_on_their_way(*content, core_->settings.read_part_bytes)) {
    plan.ahead.clear();  // on a slow line the place that is asked for comes first
  }
  const bool ahead_is_local = plan.ahead.empty() || content->file->missing({plan.now.begin, plan.ahead.back().end}).empty();
  if (!ahead_is_local || !is_local) {
    TRY(core_->fetch_for_reader(file, content, wanted, plan, caller.context));
  }
  return content->file->read(offset, out.first(wanted.length()));
}

Result<void> Filesystem::Core::fetch_for_reader(OpenFile& file, const std::shared_ptr<Content>& content, ByteRange wanted,
                                                const ReadAhead::Plan& plan, const CallContext& context) {
  /// Whether what could not be had still is the file's name and version.
  const auto still_asked_for = [&] {
    const Key key = committer.key_of(file)();
    const std::lock_guard lock(content->mutex);
    const std::optional<FetchFailure>& failure = content->fetch_error;
    return failure && failure->key == key && failure->etag == content->etag;
  };
  constexpr int kOwnChangesMax = 10;
  for (int change = 0;; ++change) {
    auto there = fetcher.ensure(content, committer.key_of(file), wanted, plan.now, plan.ahead, context);
    if (there || there.error().code != Errc::stale) {
      return there;
    }
    // A commit, chmod or rename of our own may have changed the object already, and be about to say so.
    { const std::lock_guard settled(file.commit_mutex); }
    TRY_ASSIGN(const bool changed, write_back.wait_for_begun(file, context));
    if (change < kOwnChangesMax && (changed || !still_asked_for())) {
      continue;
    }
    const std::lock_guard lock(file.mutex);
    if (file.content != content && outside.locks != nullptr) {
      return there;  // the file has gone on from a newer version, and this one was asked for before
    }
    file.stale = true;
    tree.doubt(file.node.id);
    return there;
  }
}

Result<std::size_t> Filesystem::write(HandleId id, std::optional<std::uint64_t> position, std::span<const std::byte> data,
                                      const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr) {
    return fail(Errc::internal, "write with an unknown file handle");
  }
  OpenFile& file = *handle->file;
  const bool new_writer = caller.thread != 0 && handle->last_writer.exchange(caller.thread) != caller.thread;
  const pid_t process = new_writer ? core_->outside.processes.process_of(caller.thread) : 0;
  TRY(core_->see_newest(file, caller.context));
  {
    const std::lock_guard lock(file.mutex);
    if (file.used_by_locked(process)) {
      note_locked(file);
    }
  }
  const auto written = core_->with_space(caller.context, [&] { return core_->write_staged(file, position, data, caller); });
  if (!written) {
    // A write that is refused ends the file's story: no half of it may appear in S3, so close is told the same.
    const std::lock_guard lock(file.mutex);
    if (!file.failed) {
      file.failed = written.error();
      core_->outside.log.error("write to {} failed: {}", file.node.name, describe(written.error()));
    }
    if (file.upload != nullptr) {
      file.upload->abandon();
    }
  }
  return written;
}

Result<std::size_t> Filesystem::Core::write_staged(OpenFile& file, std::optional<std::uint64_t> position, std::span<const std::byte> data,
                                                   const Caller& caller) {
  const std::lock_guard lock(file.mutex);
  if (file.failed) {
    return fail(*file.failed);
  }
  TRY(own_content_locked(file, file.content->file->size() + data.size()));
  stage::StagedFile& staged = *file.content->file;
  if (caller.resent && !position && caller.request != 0 && staged.last_request() == caller.request) {
    return data.size();  // a former process has appended it already
  }
  const std::uint64_t offset = position.value_or(staged.size());
  const std::uint64_t end = offset + data.size();
  if (settings.max_file_bytes && end > *settings.max_file_bytes) {
    return fail(Errc::too_large, fmt::format("{} would exceed max_file_size ({} bytes)", file.node.name, *settings.max_file_bytes));
  }
  // What is only a copy of S3 gives way to what is not there yet.
  TRY(room.with(data.size(), [&] { return staged.write(offset, data, position ? 0 : caller.request); }));
  if (caller.kills_set_id) {
    drop_set_id(file.node.posix);
  }
  file.modified_locked(outside.clock.now());
  file.appends = file.appends && !position;
  if (!staged.tracked()) {
    note_locked(file);
  }
  committer.wrote_locked(file, {offset, end});
  return data.size();
}

}  // namespace prefixfs::vfs
