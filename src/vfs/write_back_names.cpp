// What becomes of acknowledged states when their file is unlinked or renamed.

#include <algorithm>
#include <iterator>
#include <ranges>

#include "write_back.h"

namespace prefixfs::vfs {
namespace {

constexpr std::chrono::seconds kEndsByItself{2};

}  // namespace

Result<WriteBack::Taken> WriteBack::take(const std::shared_ptr<OpenFile>& file, const Names& names, const CallContext& context) {
  Taken taken;
  taken.write_back_ = this;
  taken.file_ = file;
  std::vector<std::string> sources;
  {
    const std::lock_guard lock(file->mutex);
    std::ranges::transform(file->moves, std::back_inserter(sources), [](const auto& move) { return move->source.str(); });
  }
  auto sources_in_hand = names_.try_take(sources, names);
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(file->mutex);
    // What S3 may have begun, what stands in the way there, and a move that somebody waits for (its old name was taken again), or is about to, is waited for
    // in the queue: a later intent comes behind it.
    const bool in_order = !sources_in_hand || std::ranges::any_of(file->moves, [](const auto& move) { return move->attempted || move->replaces; }) ||
                          (!file->moves.empty() && queue_.is_followed(file->intents));
    ids = in_order ? std::vector<meta::IntentId>() : file->intents;
  }
  // The newest first: one that is not behind another any more would be begun.
  for (const meta::IntentId id : ids | std::views::reverse) {
    const auto known = entry(id);
    if (known && !queue_.withdraw(id)) {
      TRY(end_delivery(*file, *known, id, context));
    }
    if (entry(id)) {  // otherwise it was delivered meanwhile
      taken.ids_.insert(taken.ids_.begin(), id);
    }
  }
  if (!taken.empty()) {
    taken.names_ = std::move(*sources_in_hand);
  }
  return taken;
}

/// S3 may do what a request says after its connection is closed, and so after the removal that comes next. What ends by itself in a moment is waited for;
/// what takes longer is a body that S3 does not have yet.
Result<void> WriteBack::end_delivery(OpenFile& file, const Entry& known, meta::IntentId id, const CallContext& context) {
  CallContext moment = context;
  moment.deadline = std::min(context.deadline, p_.clock.steady() + kEndsByItself);
  const auto ended = queue_.withdraw_after(id, moment);
  if (ended || ended.error().code != Errc::timeout) {
    return ended ? Result<void>() : fail(ended.error());
  }
  {
    const std::lock_guard lock(file.mutex);
    if (known.owed != nullptr) {
      known.owed->given_up.request_stop();
    }
  }
  TRY(queue_.withdraw_after(id, context));
  return {};
}

WriteBack::Taken::~Taken() {
  if (!ids_.empty()) {
    write_back_->give_back(*this);
  }
}

void WriteBack::give_back(Taken& taken) {
  for (const meta::IntentId id : taken.ids_) {
    const auto known = entry(id);
    {
      const std::lock_guard lock(taken.file_->mutex);
      if (known->owed != nullptr) {
        known->owed->given_up = std::stop_source();
      }
    }
    enqueue(id, *known, false);
  }
  taken.ids_.clear();
}

/// The journal has let go of what was taken.
void WriteBack::void_taken(Taken& taken) {
  for (const meta::IntentId id : std::exchange(taken.ids_, {})) {
    const auto known = entry(id);
    if (known->move != nullptr) {
      end_move(*taken.file_, *known->move);
      continue;
    }
    {
      const std::lock_guard lock(taken.file_->mutex);
      if (taken.file_->owed == known->owed) {
        taken.file_->owed = nullptr;
      }
    }
    end(*taken.file_, id);
    release_bytes(*taken.file_, *known->owed);
  }
}

Result<void> WriteBack::drop(Taken& taken) {
  if (taken.empty()) {
    return {};
  }
  TRY_ASSIGN(const auto left, left_by(taken));
  meta::JournalChange change{.put = {}, .erase = taken.ids_};
  if (left) {
    change.put.push_back(left->intent);
  }
  TRY(write_journal(std::move(change)));
  if (left) {
    begin(*left);
  }
  void_taken(taken);
  return {};
}

Result<WriteBack::Removal> WriteBack::removal_of(const Name& name, const ETag& version) {
  Removal removal;
  meta::Intent& intent = removal.intent;
  TRY_ASSIGN(intent.id, p_.journal.next_id());
  intent.kind = meta::IntentKind::remove;
  intent.path = name.key.str();
  intent.since = p_.clock.now();
  intent.base = version;
  intent.guard = version.empty() ? meta::IntentGuard::none : meta::IntentGuard::match;
  removal.entry = {.kind = intent.kind, .path = intent.path, .since = intent.since, .parent = name.parent, .name = name.name, .version = version};
  return removal;
}

/// It is in the journal.
void WriteBack::begin(const Removal& removal) {
  p_.absent.hold(removal.entry.parent, removal.entry.name, removal.intent.id);
  add(removal.intent.id, removal.entry);
}

Result<void> WriteBack::move(Taken& taken, Taken& replaced, const std::optional<Name>& left) {
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  std::optional<Removal> removal;
  if (left) {
    TRY_ASSIGN(removal, removal_of(*left, ETag()));
  }
  TRY_ASSIGN(const auto replaced_left, left_by(replaced));
  OpenFile& file = *taken.file_;
  auto owed = std::make_shared<Owed>();
  Entry moved{.kind = meta::IntentKind::store, .file = taken.file_, .owed = owed};
  {
    const std::lock_guard record(file.record_mutex);
    {
      const std::lock_guard lock(file.mutex);
      owed->intent = id;
      owed->content = file.owed->content;
      TRY_ASSIGN(owed->key, p_.tree.file_key(file.node.parent, file.node.name));
      owed->posix = file.owed->posix;
      owed->emptied = file.owed->emptied;
      owed->since = p_.clock.now();
    }
    TRY_ASSIGN(meta::Intent intent, record_of(file, *owed));
    moved.path = intent.path;
    moved.since = intent.since;
    meta::JournalChange change{.put = {std::move(intent)}, .erase = taken.ids_};
    change.erase.insert(change.erase.end(), replaced.ids_.begin(), replaced.ids_.end());
    if (removal) {
      change.put.push_back(removal->intent);
    }
    if (replaced_left) {
      change.put.push_back(replaced_left->intent);
    }
    TRY(write_journal(std::move(change)));
    const std::lock_guard lock(file.mutex);
    file.owed = owed;
    file.intents.push_back(id);
  }
  if (replaced_left) {
    begin(*replaced_left);
  }
  void_taken(taken);
  void_taken(replaced);
  add(id, moved);
  if (removal) {
    begin(*removal);
  }
  return {};
}

Result<void> WriteBack::remove(Taken& taken, OpenFile* file, const Name& name, const ETag& version) {
  TRY_ASSIGN(const auto left, left_by(taken));
  TRY_ASSIGN(Removal removal, left ? Result<Removal>(*left) : removal_of(name, version));
  removal.entry.file = file == nullptr ? nullptr : file->shared_from_this();
  TRY(write_journal({.put = {removal.intent}, .erase = taken.ids_}));
  begin(removal);
  void_taken(taken);
  return {};
}

Result<void> WriteBack::wait_for_removal(InodeId parent, std::string_view name, const CallContext& context) {
  const auto id = p_.absent.held(parent, name);
  return id ? queue_.wait_for(std::span(&*id, 1), false, context) : Result<void>();
}

Result<void> WriteBack::wait_for_removals(InodeId directory, const CallContext& context) {
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = removals_.find(directory); found != removals_.end()) {
      ids.assign(found->second.begin(), found->second.end());
    }
  }
  return ids.empty() ? Result<void>() : queue_.wait_for(ids, false, context);
}

std::optional<meta::IntentId> WriteBack::marker_of(InodeId directory) const {
  const std::lock_guard lock(mutex_);
  const auto found = markers_.find(directory);
  return found == markers_.end() ? std::nullopt : std::optional(found->second);
}

Result<meta::Node> WriteBack::make_directory(meta::Node directory, bool there) {
  TRY_ASSIGN(const Key key, p_.tree.key_of(directory));
  const Names name = in_hand({key});
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  meta::Intent intent{.id = id, .kind = meta::IntentKind::store_marker, .inode = directory.id, .path = key.str(), .since = p_.clock.now(),
                      .posix = directory.posix};
  Entry made{.kind = intent.kind, .path = intent.path, .since = intent.since, .inode = directory.id, .there = there};
  meta::JournalChange change{.put = {std::move(intent)}, .erase = {}};
  const auto before = marker_of(directory.id);
  const auto replaced = before ? entry(*before) : std::nullopt;
  const bool withdrawn = replaced && queue_.withdraw(*before);
  made.there = there || (replaced && (!withdrawn || replaced->there));
  if (withdrawn) {
    change.erase.push_back(*before);
  }
  if (auto written = write_journal(std::move(change)); !written) {
    if (withdrawn) {
      enqueue(*before, *replaced, false);
    }
    return fail(std::move(written.error()));
  }
  if (withdrawn) {
    forget(*before);
  }
  // Not before: after a crash, nothing would tell it from one that stays without a marker until rmdir.
  directory.local = true;
  auto known = p_.nodes.put(std::move(directory));
  add(id, made);
  return known;
}

Result<bool> WriteBack::unmake_directory(InodeId directory, const CallContext& context) {
  const auto id = marker_of(directory);
  const auto known = id ? entry(*id) : std::nullopt;
  TRY_ASSIGN(const bool withdrawn, known ? queue_.withdraw_after(*id, context) : Result<bool>(false));
  if (withdrawn) {
    TRY(write_journal({.put = {}, .erase = {*id}}));
    forget(*id);
  }
  return withdrawn && !known->there;
}

Result<void> WriteBack::wait_for_prefix(const std::string& prefix, const CallContext& context) {
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, owed] : entries_) {
      const bool below = owed.path.starts_with(prefix) || (owed.move != nullptr && owed.move->source.str().starts_with(prefix));
      if (owed.kind != meta::IntentKind::upload && below) {
        ids.push_back(id);
      }
    }
  }
  return ids.empty() ? Result<void>() : queue_.wait_for(ids, false, context);
}

Result<void> WriteBack::wait_for_all(const CallContext& context) {
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, owed] : entries_) {
      if (owed.kind != meta::IntentKind::upload) {
        ids.push_back(id);
      }
    }
  }
  for (const meta::IntentId id : ids) {
    // One by one: a single refusal would end a wait for all of them.
    const auto done = queue_.wait_for(std::span(&id, 1), false, context);
    const bool refused = !done && done.error().code != Errc::unavailable && done.error().code != Errc::timeout && done.error().code != Errc::cancelled;
    if (!done && !refused) {
      return done;
    }
  }
  return {};
}

bool WriteBack::wait_for_space(const CallContext& context) {
  constexpr std::chrono::seconds kWithoutProgressMax{60};
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, owed] : entries_) {
      if (owed.kind == meta::IntentKind::store) {
        ids.push_back(id);
      }
    }
  }
  // The oldest that is not parked. One behind a parked one may never come, hence the limit.
  const CallContext limited{std::min(context.deadline, p_.clock.steady() + kWithoutProgressMax), context.cancel};
  return std::ranges::any_of(ids, [&](meta::IntentId id) { return queue_.wait_for(std::span(&id, 1), false, limited).has_value(); });
}

Result<bool> WriteBack::wait_for_begun(OpenFile& file, const CallContext& context) {
  meta::IntentId first = 0;
  bool moves = false;
  {
    const std::lock_guard lock(file.mutex);
    if (file.intents.empty()) {
      return false;
    }
    first = file.intents.front();
    moves = !file.moves.empty() && file.moves.front()->intent == first;
    if (moves && (!file.moves.front()->attempted || file.moves.front()->copied)) {
      return false;
    }
  }
  const auto done = queue_.wait_for(std::span(&first, 1), false, context);
  // Of a state that S3 refuses nothing is there that anybody could read.
  const bool known = done || (!moves && !sync::is_outage(done.error()) && done.error().code != Errc::cancelled && done.error().code != Errc::timeout);
  return known ? Result<bool>(done.has_value()) : fail(done.error());
}

Result<void> WriteBack::wait_for(OpenFile& file, const CallContext& context) {
  std::vector<meta::IntentId> ids;
  {
    const std::lock_guard lock(file.mutex);
    ids = file.intents;
  }
  return ids.empty() ? Result<void>() : queue_.wait_for(ids, false, context);
}

}  // namespace prefixfs::vfs
