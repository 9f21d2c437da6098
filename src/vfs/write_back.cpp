// Acknowledging: from a state of a file to a synced record.

#include "write_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace prefixfs::vfs {
namespace {

constexpr int kUnlockedSyncsMax = 3;

meta::StagedBytes bytes_of(const stage::FileState& state) {
  return {.name = state.name, .size = state.size, .base_size = state.base_size, .valid = state.valid, .dirty = state.dirty};
}

meta::IntentGuard guard_of(const OpenFile& file) {
  if (file.exclusive) {
    return meta::IntentGuard::absent;
  }
  if (file.presumed_new) {
    return meta::IntentGuard::absent_or_newer;
  }
  return file.overwrites || file.node.etag.empty() ? meta::IntentGuard::none : meta::IntentGuard::match;
}

/// With commit=close an O_EXCL that S3 has not confirmed is not acknowledged: another host may have been told yes. What is no file is, as a new directory is.
bool waits_for_s3(const OpenFile& file) { return file.exclusive && file.node.kind == NodeKind::file; }

/// Names that editors, rsync, browsers and Python's tempfile give to what they rename when it is whole.
bool looks_temporary(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 8> kEndings{".tmp", ".temp", ".part", ".partial", ".swp", ".new", ".crdownload", "~"};
  return name.starts_with('.') || name.starts_with("tmp") || name.starts_with('#') ||
         std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

WriteBack::WriteBack(const Parts& parts, std::function<void(const std::shared_ptr<OpenFile>&)> settled)
    : p_(parts),
      settled_(std::move(settled)),
      queue_({}, [this](std::span<const meta::IntentId> ids, const CallContext& context) { return deliver(ids, context); }, p_.clock,
             p_.random, p_.log) {}

Result<void> WriteBack::commit(OpenFile& file, const CallContext& context) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  {
    const std::lock_guard lock(file.mutex);
    if (file.failed) {
      return fail(*file.failed);
    }
    if (!file.needs_commit_locked()) {
      return {};
    }
  }
  const bool journalled = needs_journal(file);
  auto done = journalled ? acknowledge(file) : p_.committer.commit_locked(file, context);
  if (!done && !journalled && may_queue(file, done.error())) {
    done = acknowledge(file);
  }
  const std::lock_guard lock(file.mutex);
  file.told = !done;
  note_locked(file);
  return done;
}

Result<bool> WriteBack::copy(OpenFile& file, const Committer::CopyFrom& from, const CallContext& context) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  {
    const std::lock_guard lock(file.mutex);
    if (!file.intents.empty() || p_.absent.held(file.node.parent, file.node.name) || p_.breaker.open()) {
      return false;
    }
  }
  return p_.committer.store_copy(file, from, context);
}

bool WriteBack::may_queue(const OpenFile& file, const Error& error) const {
  const std::lock_guard lock(file.mutex);
  const bool bytes = file.unstored || file.content_changed_locked();
  return p_.settings.queue_in_outage && s3::is_outage(error) && bytes && !waits_for_s3(file) && !file.failed;
}

/// A change of attributes alone is one copy within S3, unless the bytes are on their way as well.
bool WriteBack::needs_journal(const OpenFile& file) const {
  const std::lock_guard lock(file.mutex);
  const bool bytes = file.unstored || file.content_changed_locked();
  const bool ordered = !file.intents.empty() || p_.absent.held(file.node.parent, file.node.name);
  return ordered || (bytes && (p_.settings.journal_commits || (in_outage() && !waits_for_s3(file))));
}

WriteBack::Names WriteBack::in_hand(const std::vector<Key>& keys) {
  std::vector<std::string> names;
  std::ranges::transform(keys, std::back_inserter(names), &Key::str);
  return names_.take(names);
}

/// The file's own.
Result<WriteBack::Names> WriteBack::name_in_hand(const OpenFile& file) {
  meta::Node node;
  {
    const std::lock_guard lock(file.mutex);
    node = file.node;
  }
  TRY_ASSIGN(const Key key, p_.tree.file_key(node.parent, node.name));
  return names_.take({key.str()});
}

Result<void> WriteBack::acknowledge(OpenFile& file) {
  TRY_ASSIGN(const Names name, name_in_hand(file));
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  TRY_ASSIGN(Sealed sealed, seal(file, id));
  Entry entry{.kind = meta::IntentKind::store, .file = file.shared_from_this(), .owed = sealed.owed};
  const bool superseded = sealed.previous != nullptr && newest_of(file) == sealed.previous->intent && withdraw_unstored(*sealed.previous);
  const auto written = [&]() -> Result<void> {
    const std::lock_guard record(file.record_mutex);
    TRY_ASSIGN(meta::Intent intent, record_of(file, *sealed.owed));
    entry.path = intent.path;
    entry.since = intent.since;
    sealed.owed->content->file->retain(true);
    meta::JournalChange change{.put = {std::move(intent)}, .erase = {}};
    if (superseded) {
      change.erase.push_back(sealed.previous->intent);
    }
    TRY(write_journal(std::move(change)));
    const std::lock_guard file_lock(file.mutex);
    file.intents.push_back(id);
    return {};
  }();
  if (!written) {
    unseal(file, sealed);
    if (superseded) {
      queue_.add(sealed.previous->intent, {this->entry(sealed.previous->intent)->path});
    }
    p_.log.error("close: {} could not be journalled: {}", file.node.name, describe(written.error()));
    return written;
  }
  if (superseded) {
    end(file, sealed.previous->intent);
    release_bytes(file, *sealed.previous);
  }
  {
    const std::lock_guard lock(file.mutex);
    file.node.local = true;
    file.node.size = sealed.owed->content->file->size();
    file.node.checked_at = p_.clock.now();
    if (const auto known = p_.nodes.put(file.node); !known) {
      p_.log.warn("the metadata cache did not take {}: {}", entry.path, describe(known.error()));
    }
    sealed.owed->content->file->untrack();  // the journal has it
  }
  add(id, std::move(entry));
  return {};
}

/// On the disk when it returns. What could not be erased before, though S3 has it, goes with it: delivered once more by the next start, it could undo
/// what has happened since.
Result<void> WriteBack::write_journal(meta::JournalChange change) {
  std::vector<meta::IntentId> done;
  {
    const std::lock_guard lock(mutex_);
    done.assign(unerased_.begin(), unerased_.end());
  }
  change.erase.insert(change.erase.end(), done.begin(), done.end());
  TRY(p_.journal.apply(std::move(change)));
  const std::lock_guard lock(mutex_);
  for (const meta::IntentId id : done) {
    unerased_.erase(id);
  }
  return {};
}

/// S3 has it, or it is void, and its record could not be erased.
void WriteBack::still_recorded(meta::IntentId id, const std::string& path, const Error& error) {
  p_.log.error("the journal still says that {} is owed; the next change of the journal will take that back: {}", path, describe(error));
  const std::lock_guard lock(mutex_);
  unerased_.insert(id);
}

/// A state that may be in S3 already stays: the next one would take it for somebody else's.
bool WriteBack::withdraw_unstored(const Owed& owed) {
  if (!queue_.withdraw(owed.intent)) {
    return false;
  }
  if (!owed.maybe_stored) {
    return true;
  }
  if (const auto known = entry(owed.intent)) {
    enqueue(owed.intent, *known, false);
  }
  return false;
}

/// Of what is owed of the file.
meta::IntentId WriteBack::newest_of(const OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  return file.intents.empty() ? 0 : file.intents.back();
}

/// Syncs what the file holds and makes that its acknowledged state.
Result<WriteBack::Sealed> WriteBack::seal(OpenFile& file, meta::IntentId id) {
  for (int round = 0;; ++round) {
    std::shared_ptr<Content> content;
    {
      const std::lock_guard lock(file.mutex);
      content = file.content;
    }
    const std::uint64_t synced = content->file->change_count();
    TRY(content->file->sync());
    const std::lock_guard lock(file.mutex);
    if (round == kUnlockedSyncsMax) {  // written to all the time: writers wait for this one
      content = file.content;
      TRY(content->file->sync());
    } else if (file.content != content || content->file->change_count() != synced) {
      continue;
    }
    Sealed sealed{.owed = std::make_shared<Owed>(), .previous = file.owed, .unstored = file.unstored, .attributes_changed = file.attributes_changed};
    sealed.owed->intent = id;
    TRY_ASSIGN(sealed.owed->key, p_.tree.file_key(file.node.parent, file.node.name));
    sealed.owed->content = content;
    sealed.owed->posix = file.node.posix;
    sealed.owed->emptied = file.emptied;
    sealed.owed->appends = file.appends;
    sealed.owed->since = p_.clock.now();
    sealed.owed->maybe_stored = sealed.previous == nullptr && file.maybe_stored;  // a commit that waited for S3 may have got there
    if (sealed.previous == nullptr || sealed.previous->content != content) {
      sealed.owed->upload = std::move(file.upload);
    }
    file.owed = sealed.owed;
    file.unstored = false;
    file.attributes_changed = false;
    return sealed;
  }
}

void WriteBack::unseal(OpenFile& file, Sealed& sealed) {
  const std::lock_guard lock(file.mutex);
  if (file.owed != sealed.owed) {
    return;
  }
  file.owed = sealed.previous;
  file.unstored = file.unstored || sealed.unstored;
  file.attributes_changed = file.attributes_changed || sealed.attributes_changed;
  if (sealed.previous == nullptr || sealed.previous->content != sealed.owed->content) {
    sealed.owed->content->file->retain(false);
    if (file.upload == nullptr && file.content == sealed.owed->content) {
      file.upload = std::move(sealed.owed->upload);
    }
  }
}

Result<meta::Intent> WriteBack::record_of(OpenFile& file, const Owed& owed) const {
  meta::Intent intent{.id = owed.intent, .kind = meta::IntentKind::store, .path = owed.key.str(), .since = owed.since, .posix = owed.posix};
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file.mutex);
    intent.inode = file.node.id;
    intent.type = file.node.kind;
    intent.rdev = file.node.rdev;
    intent.guard = file.emptied == owed.emptied ? guard_of(file) : meta::IntentGuard::none;
    intent.base = file.node.etag;
    intent.maybe_stored = file.maybe_stored;
    content = owed.content;
  }
  intent.appends = owed.appends;
  intent.bytes = bytes_of(content->file->state());
  return intent;
}

/// S3 has it, or nobody wants it any more: the staged file is an ordinary one again, unless a newer state needs its bytes too.
void WriteBack::release_bytes(const OpenFile& file, const Owed& owed) {
  const std::lock_guard lock(file.mutex);
  if (file.owed == nullptr || file.owed->content != owed.content) {
    owed.content->file->retain(false);
  }
}

void WriteBack::add(meta::IntentId id, const Entry& entry, bool parked) {
  {
    const std::lock_guard lock(mutex_);
    if (entry.parent != 0) {
      removals_[entry.parent].insert(id);
    } else if (entry.kind == meta::IntentKind::store_marker) {
      markers_[entry.inode] = id;
    }
    entries_[id] = entry;
    if (recovering_) {
      recovered_.emplace_back(id, parked);
      return;
    }
  }
  enqueue(id, entry, parked);
}

void WriteBack::enqueue(meta::IntentId id, const Entry& entry, bool parked) {
  const bool batchable = entry.kind == meta::IntentKind::remove;
  std::chrono::nanoseconds linger{};
  if (batchable || entry.kind == meta::IntentKind::move) {
    linger = p_.settings.removal_linger;
  } else if (entry.kind == meta::IntentKind::store && looks_temporary(entry.path)) {
    linger = p_.settings.temporary_linger;
  }
  std::vector<std::string> keys{NamesInHand::name_of_key(entry.path)};
  if (entry.move != nullptr && entry.move->renames()) {
    keys.push_back(entry.move->source.str());
  }
  if (entry.directory != nullptr) {
    keys.push_back(NamesInHand::name_of_key(entry.directory->from.prefix));
  }
  queue_.add(id, std::move(keys), batchable, parked, linger);
}

void WriteBack::begin_deliveries() {
  std::vector<std::pair<meta::IntentId, bool>> recovered;
  {
    const std::lock_guard lock(mutex_);
    recovering_ = false;
    recovered.swap(recovered_);
  }
  for (const auto& [id, parked] : recovered) {
    if (const auto known = entry(id)) {
      enqueue(id, *known, parked);
    }
  }
}

std::optional<WriteBack::Entry> WriteBack::entry(meta::IntentId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void WriteBack::forget(meta::IntentId id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return;
  }
  if (const auto removals = removals_.find(found->second.parent); removals != removals_.end() && removals->second.erase(id) > 0 &&
                                                                  removals->second.empty()) {
    removals_.erase(removals);
  }
  if (const auto marker = markers_.find(found->second.inode); marker != markers_.end() && marker->second == id) {
    markers_.erase(marker);
  }
  entries_.erase(found);
}

/// The intent is not in the journal any more.
void WriteBack::end(OpenFile& file, meta::IntentId id) {
  {
    const std::lock_guard lock(file.mutex);
    std::erase(file.intents, id);
  }
  forget(id);
}

std::vector<OwedIntent> WriteBack::owed() const {
  std::vector<OwedIntent> all;
  std::map<meta::IntentId, sync::DeliveryState> states;
  for (sync::DeliveryState& state : queue_.states()) {
    states[state.id] = std::move(state);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    const sync::DeliveryState& state = states[id];  // the queue has none of them before begin_deliveries()
    OwedIntent item{.id = id, .kind = entry.kind, .path = entry.path, .bytes = 0, .since = entry.since, .attempts = state.attempts,
                    .parked = state.phase == sync::DeliveryPhase::parked, .last_error = state.last_error};
    if (!item.last_error && !entry.refusal.empty()) {
      item.last_error = recalled(entry.refusal);
    }
    if (entry.owed != nullptr) {
      item.bytes = entry.owed->content->file->size();
    }
    if (entry.directory != nullptr) {
      item.objects = entry.directory->progress.objects;
      item.copied = entry.directory->progress.copied;
    }
    all.push_back(std::move(item));
  }
  return all;
}

}  // namespace prefixfs::vfs
