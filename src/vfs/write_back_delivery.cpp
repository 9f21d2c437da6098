// Delivering: what becomes of each answer of S3.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "prefixfs/s3/own_write.h"
#include "prefixfs/sync/journalled_uploads.h"
#include "write_back.h"

namespace prefixfs::vfs {

std::vector<Result<void>> WriteBack::deliver(std::span<const meta::IntentId> ids, const CallContext& context) {
  const auto first = entry(ids.front());
  if (first && first->kind == meta::IntentKind::remove) {
    return deliver_removals(ids, context);
  }
  std::vector<Result<void>> outcomes;
  for (const meta::IntentId id : ids) {
    const auto known = entry(id);
    outcomes.push_back(known ? deliver_one(id, *known, context) : Result<void>());
  }
  return outcomes;
}

Result<void> WriteBack::deliver_one(meta::IntentId id, const Entry& entry, const CallContext& context) {
  switch (entry.kind) {
    case meta::IntentKind::move: return deliver_move(id, entry, context);
    case meta::IntentKind::store_marker: return deliver_marker(id, entry, context);
    case meta::IntentKind::upload: return abort_upload(id, entry, context);
    case meta::IntentKind::move_directory: return deliver_directory_move(entry, context);
    default: return deliver_store(id, entry, context);
  }
}

Result<void> WriteBack::abort_upload(meta::IntentId id, const Entry& entry, const CallContext& context) {
  meta::Intent upload{.kind = entry.kind, .path = entry.path, .source = entry.name, .since = entry.since};
  if (auto aborted = sync::abort_former_upload(p_.store, upload, context); !aborted) {
    const bool again = sync::is_outage(aborted.error()) || aborted.error().code == Errc::cancelled;
    return again ? std::move(aborted) : park(id, entry, std::move(aborted.error()));
  }
  TRY(write_journal({.put = {}, .erase = {id}}));
  forget(id);
  return {};
}

Result<void> WriteBack::deliver_store(meta::IntentId id, const Entry& entry, const CallContext& context) {
  const Room::Storing storing(p_.room);
  std::stop_source given_up;
  {
    const std::lock_guard lock(entry.file->mutex);
    given_up = entry.owed->given_up;
  }
  const std::stop_callback ends(context.cancel, [&] { given_up.request_stop(); });
  const auto rebased = [&] { return record_rebased(*entry.file, entry.owed); };
  auto done = p_.committer.deliver(*entry.file, *entry.owed, rebased, {context.deadline, given_up.get_token()});
  if (done) {
    stored(id, entry);
    return {};
  }
  Error& error = done.error();
  if (given_up.stop_requested()) {
    return context.cancel.stop_requested() ? fail(Errc::cancelled, "the mount ends") : Result<void>();
  }
  if (error.code == Errc::conflict) {
    return set_aside(id, entry, std::move(error));
  }
  return sync::is_outage(error) || error.code == Errc::cancelled ? fail(std::move(error)) : park(id, entry, std::move(error));
}

/// What is owed of the file goes on from another client's version.
Result<void> WriteBack::record_rebased(OpenFile& file, const std::shared_ptr<Owed>& delivered) {
  const std::lock_guard record(file.record_mutex);
  std::shared_ptr<Owed> newer;
  {
    const std::lock_guard lock(file.mutex);
    file.maybe_stored = true;
    const bool journalled = file.owed != delivered && file.owed_is_recorded_locked();
    newer = journalled ? file.owed : nullptr;
  }
  meta::JournalChange change;
  for (const std::shared_ptr<Owed>& owed : {delivered, newer}) {
    if (owed != nullptr) {
      TRY_ASSIGN(meta::Intent intent, record_of(file, *owed));
      change.put.push_back(std::move(intent));
    }
  }
  return write_journal(std::move(change));
}

/// S3 has it: the record goes, and that of a newer state says from now on which version it goes on from.
void WriteBack::stored(meta::IntentId id, const Entry& entry) {
  OpenFile& file = *entry.file;
  {
    const std::lock_guard record(file.record_mutex);
    std::shared_ptr<Owed> newer;
    {
      const std::lock_guard lock(file.mutex);
      const bool journalled = file.owed != entry.owed && file.owed_is_recorded_locked();
      newer = journalled ? file.owed : nullptr;
    }
    meta::JournalChange change{.put = {}, .erase = {id}};
    if (newer != nullptr) {
      if (auto next = record_of(file, *newer)) {
        change.put.push_back(std::move(*next));
      }
    }
    {
      const std::lock_guard lock(file.mutex);
      for (const auto& move : file.moves) {
        change.put.push_back(record_of_locked(file, *move));
      }
    }
    if (const auto written = write_journal(std::move(change)); !written) {
      still_recorded(id, entry.path, written.error());
    } else if (newer == nullptr || newer->content != entry.owed->content) {
      entry.owed->content->file->retain(false);
    }
    const std::lock_guard lock(file.mutex);
    if (file.owed == entry.owed) {
      file.owed = nullptr;
    }
  }
  end(file, id);
  settled_(entry.file);
}

/// Somebody else has changed the object since the version that this state goes on from: both stay.
Result<void> WriteBack::set_aside(meta::IntentId id, const Entry& entry, Error error) {
  OpenFile& file = *entry.file;
  error.code = Errc::stale;
  error.what = fmt::format("{} was changed by another client before what was written here could be stored; both are kept", entry.path);
  if (!entry.owed->content->kept) {  // else with a state before, of the same bytes
    p_.committer.keep(*entry.owed->content, entry.path, describe(error));
  }
  if (!entry.owed->content->kept) {
    return park(id, entry, std::move(error));  // the disk may be full: `retry` tries it again
  }
  const auto written = write_journal({.put = {}, .erase = {id}});
  if (!written) {
    still_recorded(id, entry.path, written.error());
  }
  cut_off(file, entry.owed, std::move(error));
  if (written) {
    release_bytes(file, *entry.owed);
  }
  end(file, id);
  settled_(entry.file);
  return {};
}

/// What programs have of it is not what the name stands for any more.
void WriteBack::cut_off(OpenFile& file, const std::shared_ptr<Owed>& owed, Error error) {
  const std::lock_guard lock(file.mutex);
  if (owed != nullptr) {
    owed->content->irreplaceable = true;
  }
  if (file.owed == owed) {
    file.owed = nullptr;
  }
  file.failed = std::move(error);
  file.stale = true;  // nothing of it goes back into the cache
  const meta::Node& node = file.node;
  // What S3 has under the name is asked by the next lookup.
  auto forgotten = p_.nodes.erase(node.parent, node.name);
  if (forgotten) {
    forgotten = p_.nodes.forget_listing(node.parent);
  }
  if (!forgotten) {
    p_.log.warn("the metadata cache keeps a name that is another file now: {}", describe(forgotten.error()));
  }
}

/// Refused for good: it waits for an administrator, also after a restart.
Result<void> WriteBack::park(meta::IntentId id, const Entry& entry, Error error) {
  auto intent = Result<meta::Intent>(meta::Intent{.id = id, .kind = entry.kind, .inode = entry.inode, .path = entry.path, .since = entry.since,
                                                  .base = entry.version});
  intent->source = entry.kind == meta::IntentKind::upload ? entry.name : "";
  std::unique_lock<std::mutex> record;
  if (entry.owed != nullptr) {
    record = std::unique_lock(entry.file->record_mutex);
    intent = record_of(*entry.file, *entry.owed);
  } else if (entry.move != nullptr) {
    record = std::unique_lock(entry.file->record_mutex);
    const std::lock_guard lock(entry.file->mutex);
    intent = record_of_locked(*entry.file, *entry.move);
  }
  if (intent) {
    // What the local disk has refused may go better at the next start.
    const bool local = error.origin.http_status == 0 && (error.code == Errc::io || error.code == Errc::no_space);
    intent->parked = !local;
    intent->last_error = intent->parked ? describe(error) : "";
    if (const auto written = write_journal({.put = {std::move(*intent)}, .erase = {}}); !written) {
      p_.log.warn("that {} was refused is not in the journal: {}", entry.path, describe(written.error()));
    }
  }
  return fail(std::move(error));
}

/// `there`: what else a marker says that stands there already is kept.
Result<meta::Node> WriteBack::store_marker(const meta::Node& directory, bool there, const CallContext& context) {
  std::optional<ObjectInfo> before;
  if (there) {
    TRY_ASSIGN(const Key key, p_.tree.key_of(directory));
    TRY_ASSIGN(before, p_.committer.version_info(key, directory.etag, nullptr, context));
  }
  return p_.committer.store_attributes(directory, before, context);
}

/// Whoever takes the marker back must know that S3 may have it.
void WriteBack::note_there(meta::IntentId id, bool perhaps) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(id); perhaps && found != entries_.end()) {
    found->second.there = true;
  }
}

/// The marker says what mode and owner the directory has by now.
Result<void> WriteBack::deliver_marker(meta::IntentId id, const Entry& entry, const CallContext& context) {
  TRY_ASSIGN(const std::optional<meta::Node> node, p_.nodes.get(entry.inode));
  if (node) {
    auto stored = store_marker(*node, entry.there, context);
    if (!stored) {
      note_there(id, s3::is_unclear(stored.error()));
      const bool again = sync::is_outage(stored.error()) || stored.error().code == Errc::cancelled;
      return again ? Result<void>(fail(std::move(stored.error()))) : park(id, entry, std::move(stored.error()));
    }
    stored->local = false;
    if (const auto known = p_.nodes.put_if_unchanged(*node, std::move(*stored)); !known) {
      p_.log.warn("the metadata cache did not take {}: {}", entry.path, describe(known.error()));
    }
  }
  if (const auto written = write_journal({.put = {}, .erase = {id}}); !written) {
    still_recorded(id, entry.path, written.error());
  }
  forget(id);
  return {};
}

/// Whether what was acknowledged then goes out as soon as it can.
bool WriteBack::at_once(WallTime acknowledged) const {
  constexpr std::chrono::seconds kMoment{5};
  const auto age = p_.clock.now() - acknowledged;
  return age >= WallTime::duration::zero() && age <= kMoment;
}

/// All that are ready in one request. A version that another client has made since must stay; of what was acknowledged a moment ago that costs no request:
/// where a server would have to be asked first, nobody asks, as little as unlink() with commit=close does.
std::vector<Result<void>> WriteBack::deliver_removals(std::span<const meta::IntentId> ids, const CallContext& context) {
  std::map<std::string, std::size_t> place;  // in `ids`, by key
  std::vector<s3::RemoveTarget> targets;
  std::vector<Entry> entries;
  std::vector<Result<void>> outcomes(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto known = entry(ids[i]);
    entries.push_back(known.value_or(Entry()));
    if (known) {
      targets.push_back({Key(known->path), known->version, at_once(known->since)});
      place[known->path] = i;
    }
  }
  auto answers = remove_objects(targets, context);
  for (s3::DeleteOutcome& answer : answers) {
    const std::size_t i = place.at(answer.key.str());
    if (answer.error && answer.error->code == Errc::conflict) {
      const auto settled = remove_older(answer.key, entries[i].since, context);
      answer.error = settled ? std::nullopt : std::optional(settled.error());
    }
    if (!answer.error) {
      outcomes[i] = removed(ids[i], entries[i]);
    } else if (sync::is_outage(*answer.error) || answer.error->code == Errc::cancelled) {
      outcomes[i] = fail(std::move(*answer.error));
    } else {
      outcomes[i] = park(ids[i], entries[i], std::move(*answer.error));
    }
  }
  return outcomes;
}

/// There is another version than the one that was removed: it goes, too, if it was there before that, unseen. At once, where it may be a state of our own
/// that was on its way, it goes unless it surely is newer; later nothing is deleted on a guess.
Result<void> WriteBack::remove_older(const Key& key, WallTime removed_at, const CallContext& context) {
  const auto there = p_.store.head(key, context);
  if (!there && there.error().code == Errc::not_found) {
    return {};
  }
  const bool older = there && (at_once(removed_at) ? !p_.committer.written_after(*there, removed_at) : p_.committer.written_before(*there, removed_at));
  if (older) {
    const auto gone = p_.store.remove(key, there->etag, context);
    if (gone || gone.error().code != Errc::conflict) {
      return gone;
    }
  } else if (!there && there.error().code != Errc::denied) {
    return fail(there.error());
  }
  p_.log.warn("{} was written by another client after it was deleted here; that version stays", key.str());
  return {};
}

std::vector<s3::DeleteOutcome> WriteBack::remove_objects(const std::vector<s3::RemoveTarget>& targets, const CallContext& context) {
  if (targets.size() == 1) {
    const auto& [key, version, best_effort] = targets[0];
    const bool guarded = !best_effort || p_.store.capabilities().conditional_delete != s3::Support::no;
    const auto gone = p_.store.remove(key, guarded ? version : ETag(), context);
    return {{targets[0].key, gone ? std::nullopt : std::optional(gone.error())}};
  }
  auto answers = targets.empty() ? Result<std::vector<s3::DeleteOutcome>>({}) : p_.store.remove_many(targets, context);
  if (answers) {
    return std::move(*answers);
  }
  std::vector<s3::DeleteOutcome> refused;
  for (const s3::RemoveTarget& target : targets) {
    refused.push_back({target.key, answers.error()});
  }
  return refused;
}

Result<void> WriteBack::removed(meta::IntentId id, const Entry& entry) {
  if (const auto written = write_journal({.put = {}, .erase = {id}}); !written) {
    still_recorded(id, entry.path, written.error());
  }
  // From now on S3's own word counts, and it says the same.
  note_absent(entry.parent, entry.name);
  p_.absent.let_go(entry.parent, entry.name, id);
  forget(id);
  return {};
}

}  // namespace prefixfs::vfs
