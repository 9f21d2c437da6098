// A condition failed, or an answer was lost: whose is what stands there, and who comes last?

#include <fmt/format.h>

#include "attributes.h"
#include "committer.h"
#include "prefixfs/s3/own_write.h"

namespace prefixfs::vfs {
namespace {

// Last-Modified has whole seconds.
constexpr std::chrono::seconds kClockSlack{1};
constexpr std::chrono::seconds kWholeSecond{1};  // Last-Modified has no parts of it

}  // namespace

/// By S3's clock, which is Last-Modified's: ours may be off.
WallTime Committer::by_clock_of(const ObjectInfo& info, WallTime moment) const {
  return info.told_at == WallTime{} ? moment : info.told_at - (p_.clock.now() - moment);
}

bool Committer::written_after(const ObjectInfo& info, WallTime moment) const {
  const WallTime by_its_clock = by_clock_of(info, moment);
  if (info.last_modified > by_its_clock + kClockSlack) {
    return true;
  }
  // Of what Last-Modified leaves open, the time that the writer has told decides, if it has parts of seconds: those of copied files mostly have not.
  const bool open = info.last_modified + kWholeSecond + kClockSlack >= by_its_clock;
  const std::chrono::nanoseconds told(attributes_from(info, p_.settings, NodeKind::file).mtime_ns);
  return open && told % std::chrono::seconds(1) != std::chrono::nanoseconds::zero() && WallTime(told) > moment;
}

bool Committer::written_before(const ObjectInfo& info, WallTime moment) const {
  const bool set_back = p_.clock.now() < moment;
  return !set_back && info.last_modified + kWholeSecond + kClockSlack < by_clock_of(info, moment);
}

Result<Committer::AfterConflict> Committer::after_conflict(OpenFile& file, State& state, const sync::UploadTarget& target, int conflicts,
                                                           const CallContext& context) {
  AfterConflict next;
  TRY_ASSIGN(next.mine, own_write(file, state, target, context));
  if (next.mine) {
    return next;
  }
  if (only_appends(file, state)) {
    auto merged = append_to_newer(file, state, target.key, conflicts, context);
    const bool gone = !merged && (merged.error().code == Errc::not_found || merged.error().code == Errc::conflict || merged.error().code == Errc::denied);
    if (gone) {
      return next;
    }
    TRY_ASSIGN(next.mine, std::move(merged));
    next.again = !next.mine;
  } else if (conflicts == 0) {
    TRY_ASSIGN(next.again, learn_replaced(file, state, target.key, context));
  }
  return next;
}

/// The condition failed, and an answer to the same write may have been lost before: what is there may be this very state.
Result<std::optional<sync::Committed>> Committer::own_write(OpenFile& file, State& state, const sync::UploadTarget& target,
                                                            const CallContext& context) {
  {
    const std::lock_guard lock(file.mutex);
    if (!file.maybe_stored) {
      return std::optional<sync::Committed>();
    }
  }
  const auto info = p_.store.head(target.key, context);
  if (!info) {
    const bool gone = info.error().code == Errc::not_found || info.error().code == Errc::denied;
    return gone ? Result<std::optional<sync::Committed>>(std::nullopt) : fail(info.error());
  }
  const std::uint64_t change_count = state.content->file->change_count();
  const stage::StagedFile& staged = *state.content->file;
  if (!staged.missing(kWholeFile).empty()) {
    // Ranges that were never here have been copied within S3; size and metadata with its time in nanoseconds have to do.
    const bool same = info->size == staged.size() && !info->user_metadata.empty() && info->user_metadata == target.headers.user_metadata;
    return same ? std::optional(sync::Committed{info->etag, info->size, change_count, target.headers}) : own_append(file, state, *info, context);
  }
  // The bytes decide. What the object says of mode and time is compared afterwards, and mended where it differs.
  const stage::StagedBody body(staged, {0, staged.size()});
  s3::ObjectHeaders headers = target.headers;
  headers.user_metadata = info->user_metadata;
  TRY_ASSIGN(const bool same, s3::is_body(*info, body, headers, context));
  return same ? std::optional(sync::Committed{info->etag, info->size, change_count, std::move(headers)}) : own_append(file, state, *info, context);
}

/// The last writer wins, and what somebody else has made under the name is older than what was written here: it is overwritten as an open() of it
/// with O_TRUNC would have, so its headers, mode and owner are those to go on with. False: that is not what has happened.
Result<bool> Committer::learn_replaced(OpenFile& file, State& state, const Key& key, const CallContext& context) {
  {
    const std::lock_guard lock(file.mutex);
    const bool last_writer_wins = file.presumed_new || (state.acknowledged && file.overwrites);
    if (!last_writer_wins || file.exclusive) {
      return false;
    }
  }
  auto info = p_.store.head(key, context);
  if (!info) {
    const bool unreadable = info.error().code == Errc::not_found || info.error().code == Errc::denied;
    if (!unreadable) {
      return fail(info.error());
    }
    const std::lock_guard lock(file.mutex);
    file.node.etag = ETag();  // that version is gone: what is sent now must find nothing
    return true;
  }
  // What goes out at once is as much the last writer as a close that waits for S3: what stands there may be an earlier state of our own.
  const auto age = state.acknowledged ? p_.clock.now() - *state.acknowledged : WallTime::duration{};
  const bool unknown = age < -kClockSlack;  // our clock was set back: who was last cannot be told
  if (unknown || (age > kAtOnce && written_after(*info, *state.acknowledged))) {
    return false;
  }
  const std::lock_guard lock(file.mutex);
  file.presumed_new = false;
  take_attributes_locked(file, state, *info);
  file.node.etag = info->etag;
  const std::lock_guard content_lock(state.content->mutex);
  state.content->info = std::move(info.value());
  return true;
}

/// As open() of it would have: mode and owner are those of what stands there. A chmod of the open file counts more.
void Committer::take_attributes_locked(OpenFile& file, State& state, const ObjectInfo& info) const {
  if (file.attributes_changed) {
    return;
  }
  PosixAttributes posix = attributes_from(info, p_.settings, NodeKind::file);
  posix.mtime_ns = file.node.posix.mtime_ns;
  file.node.posix = posix;
  if (state.posix) {
    posix.mtime_ns = state.posix->mtime_ns;
    state.posix = posix;
  }
}

Error Committer::refused(OpenFile& file, Error error) {
  const auto key = key_of(file)();
  const std::lock_guard lock(file.mutex);
  if (error.code == Errc::conflict) {
    error.code = Errc::stale;
    error.what = fmt::format("{} was changed by another client while it was open here; what was written here is kept aside", key.str());
    p_.tree.doubt(file.node.id);
    file.failed = error;
    file.content->irreplaceable = true;  // so that it is kept as whole as it is
    if (file.node.kind == NodeKind::file) {
      keep_bytes_locked(file);  // others may have it open, and the process may die before they close it
    }
  } else {
    note_maybe_stored(file, error);
  }
  p_.log.error("close: {} is not in S3: {}", key.str(), describe(error));
  return error;
}

void Committer::note_maybe_stored(OpenFile& file, const Error& error) {
  file.maybe_stored = file.maybe_stored || s3::is_unclear(error) || error.code == Errc::cancelled || error.code == Errc::corrupt;
}

}  // namespace prefixfs::vfs
