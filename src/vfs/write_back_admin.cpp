// What an administrator decides about that which is owed.

#include <fmt/format.h>

#include <algorithm>

#include "write_back.h"

namespace prefixfs::vfs {
namespace {

std::unexpected<Error> not_owed(meta::IntentId id) { return fail(Errc::not_found, fmt::format("change {} is not owed any more", id)); }

}  // namespace

Error WriteBack::recalled(const std::string& refusal) {
  const auto colon = refusal.find(": ");  // behind the name of the code, see describe()
  return {Errc::denied, colon == std::string::npos ? refusal : refusal.substr(colon + 2), {}};
}

Result<void> WriteBack::discard(meta::IntentId id, const CallContext& context) {
  const auto known = entry(id);
  if (!known) {
    return not_owed(id);
  }
  switch (known->kind) {
    case meta::IntentKind::remove: TRY(discard_removal(id, *known)); break;
    case meta::IntentKind::store: TRY(discard_store(id, *known, context)); break;
    case meta::IntentKind::move: TRY(discard_move(id, *known)); break;
    default: return fail(Errc::unsupported, fmt::format("{} is a directory that is to be made or that is being renamed, or the end of an upload: what S3 refuses of these is given up by itself", known->path));
  }
  p_.log.warn("{}: an administrator has given up change {}; S3 will not get it", known->path, id);
  return {};
}

/// All acknowledged states of the file go: a newer one goes on from those before.
Result<void> WriteBack::discard_store(meta::IntentId id, const Entry& entry, const CallContext& context) {
  const std::shared_ptr<OpenFile> file = entry.file;
  {
    const std::lock_guard one_at_a_time(file->commit_mutex);
    TRY_ASSIGN(const Names name, name_in_hand(*file));
    TRY_ASSIGN(Taken taken, take(file, name, context));
    if (taken.empty() || std::ranges::find(taken.ids_, id) == taken.ids_.end()) {
      return not_owed(id);
    }
    const auto newest = this->entry(taken.ids_.back());
    p_.committer.keep(*newest->owed->content, newest->path, "given up by an administrator");
    if (!newest->owed->content->kept) {
      return fail(Errc::io, fmt::format("the bytes of {} cannot be kept, so that it stays owed; the log says why", newest->path));
    }
    TRY(drop(taken));
    cut_off(*file, newest->owed, Error{Errc::stale, fmt::format("what was written to {} was given up by an administrator, and is kept", newest->path), {}});
  }
  settled_(file);
  return {};
}

/// The name stands for what S3 has again.
Result<void> WriteBack::discard_removal(meta::IntentId id, const Entry& entry) {
  const Names name = names_.take({entry.path});
  if (!queue_.withdraw(id)) {
    return this->entry(id) ? fail(Errc::timeout, fmt::format("the removal of {} is on its way to S3", entry.path)) : not_owed(id);
  }
  if (const auto written = write_journal({.put = {}, .erase = {id}}); !written) {
    queue_.add(id, {entry.path}, true);
    return written;
  }
  p_.absent.let_go(entry.parent, entry.name, id);
  p_.absent.remove(entry.parent, entry.name);
  forget(id);
  return p_.nodes.forget_listing(entry.parent);
}

/// What is owed behind it goes on from where the object is.
Result<void> WriteBack::discard_move(meta::IntentId id, const Entry& entry) {
  if (!queue_.withdraw(id)) {
    return this->entry(id) ? fail(Errc::timeout, fmt::format("the change of {} is on its way to S3", entry.path)) : not_owed(id);
  }
  undo_move(id, entry, {Errc::stale, "given up by an administrator", {}});
  return {};
}

WriteBack::Progress WriteBack::progress_of(std::span<const meta::IntentId> ids) const {
  Progress progress;
  for (const sync::DeliveryState& state : queue_.states()) {
    if (std::ranges::find(ids, state.id) == ids.end()) {
      continue;
    }
    progress.parked = progress.parked || state.phase == sync::DeliveryPhase::parked;
    progress.last_error = state.last_error ? state.last_error : progress.last_error;
    if (const auto known = entry(state.id); known && !progress.last_error && !known->refusal.empty()) {
      progress.last_error = recalled(known->refusal);
    }
  }
  return progress;
}

}  // namespace prefixfs::vfs
