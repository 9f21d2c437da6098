// Renames of stored files, and changes of their attributes: acknowledged from the journal, and delivered as copies within S3.

#include <fmt/format.h>

#include <algorithm>

#include "attributes.h"
#include "write_back.h"

namespace prefixfs::vfs {
namespace {

void merge(const SetAttributes& newer, SetAttributes& into) {
  if (newer.drops_set_id && into.mode) {
    PosixAttributes posix{.mode = *into.mode};
    drop_set_id(posix);
    into.mode = posix.mode;
  }
  into.drops_set_id = !newer.mode && (into.drops_set_id || newer.drops_set_id);
  into.mode = newer.mode ? newer.mode : into.mode;
  into.uid = newer.uid ? newer.uid : into.uid;
  into.gid = newer.gid ? newer.gid : into.gid;
  into.mtime_ns = newer.mtime_ns ? newer.mtime_ns : into.mtime_ns;
  into.atime_ns = newer.atime_ns ? newer.atime_ns : into.atime_ns;
  for (const auto& [name, value] : newer.xattrs) {
    into.xattrs.insert_or_assign(name, value);
  }
}

}  // namespace

bool WriteBack::acknowledges_moves(const OpenFile& file) const {
  const std::lock_guard lock(file.mutex);
  return !file.moves.empty() || (!file.node.etag.empty() && (p_.settings.journal_commits || in_outage()));
}

Result<void> WriteBack::rename(const std::shared_ptr<OpenFile>& file, const NewName& to, const Names& names, Taken& replaced) {
  TRY_ASSIGN(const auto left, left_by(replaced));
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  const auto [last, source_in_hand] = take_last_move(*file, MoveTaken::never_attempted, names);
  auto move = last != nullptr ? std::make_shared<OwedMove>(*last) : std::make_shared<OwedMove>();
  move->intent = id;
  move->path = to.key;
  move->no_replace = to.no_replace;
  move->replaces = to.replaces;
  move->attempted = to.attempted;
  move->since = p_.clock.now();
  meta::JournalChange change{.put = {}, .erase = replaced.ids_};
  if (left) {
    change.put.push_back(left->intent);
  }
  auto acknowledged = acknowledge_move(*file, {.move = move, .last = last, .change = std::move(change)}, [&](meta::Node& node) -> Result<void> {
    if (last == nullptr) {
      TRY_ASSIGN(move->source, p_.tree.file_key(node.parent, node.name));
    }
    if (move->source_name.empty()) {
      move->source_parent = node.parent;
      move->source_name = node.name;
    }
    move->size = last == nullptr ? node.size : move->size;
    node.parent = to.parent;
    node.name = to.name;
    return {};
  });
  if (!acknowledged) {
    return acknowledged;
  }
  begin(move, file);
  if (left) {
    begin(*left);
  }
  void_taken(replaced);
  if (last != nullptr) {
    end_move(*file, *last);
  }
  return {};
}

Result<WriteBack::BegunRename> WriteBack::begin_rename(const meta::Node& file, const NewName& to) {
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  TRY_ASSIGN(const Key source, p_.tree.file_key(file.parent, file.name));
  meta::Intent intent{.id = id, .kind = meta::IntentKind::move, .inode = file.id, .path = to.key.str(), .source = source.str(), .since = p_.clock.now(),
                      .base = file.etag, .posix = file.posix, .type = file.kind, .rdev = file.rdev};
  intent.guard = to.no_replace ? meta::IntentGuard::absent : meta::IntentGuard::none;
  intent.size = file.size;
  TRY(write_journal({.put = {std::move(intent)}, .erase = {}}));
  return BegunRename(*this, id);
}

WriteBack::BegunRename::~BegunRename() {
  if (write_back_ == nullptr) {
    return;
  }
  if (const auto erased = write_back_->write_journal({.put = {}, .erase = {id_}}); !erased) {
    write_back_->still_recorded(id_, "a renamed file", erased.error());
  }
}

Result<void> WriteBack::change_attributes(const std::shared_ptr<OpenFile>& file, const SetAttributes& changes) {
  TRY_ASSIGN(const Names name, name_in_hand(*file));
  TRY_ASSIGN(const meta::IntentId id, p_.journal.next_id());
  const auto [last, source_in_hand] = take_last_move(*file, MoveTaken::not_copied, name);
  auto move = last != nullptr ? std::make_shared<OwedMove>(*last) : std::make_shared<OwedMove>();
  move->intent = id;
  merge(changes, move->changes);
  auto acknowledged = acknowledge_move(*file, {.move = move, .last = last, .change = {}}, [&](meta::Node& node) -> Result<void> {
    if (last == nullptr) {
      TRY_ASSIGN(move->source, p_.tree.file_key(node.parent, node.name));
      move->path = move->source;
      move->size = node.size;
      move->since = p_.clock.now();
    }
    const std::uint32_t mode = node.posix.mode;
    apply(changes, node, p_.clock.now());
    if (node.posix_exact && node.posix.mode != mode) {
      move->changes.mode = node.posix.mode;  // the set-id bits that went with the owner, so that the record has it
    }
    return {};
  });
  if (!acknowledged) {
    return acknowledged;
  }
  begin(move, file);
  if (last != nullptr) {
    end_move(*file, *last);
  }
  const std::lock_guard lock(file->mutex);
  if (!file->unlinked) {
    TRY(p_.nodes.put(file->node));
  }
  return {};
}

/// The file is as `change_node` makes it, and the new move is in the journal, in place of `last`; or nothing has changed.
Result<void> WriteBack::acknowledge_move(OpenFile& file, NewMove given, const std::function<Result<void>(meta::Node&)>& change_node) {
  const std::lock_guard record(file.record_mutex);
  meta::Node before;
  const auto prepared = [&]() -> Result<void> {
    const std::lock_guard lock(file.mutex);
    before = file.node;
    meta::Node after = before;
    TRY(change_node(after));
    after.local = true;
    file.node = std::move(after);
    given.change.put.push_back(record_of_locked(file, *given.move));
    file.moves.push_back(given.move);
    file.intents.push_back(given.move->intent);
    return {};
  }();
  if (given.last != nullptr) {
    given.change.erase.push_back(given.last->intent);
  }
  auto done = prepared ? write_journal(std::move(given.change)) : prepared;
  if (!done) {
    const std::lock_guard lock(file.mutex);
    file.node = prepared ? std::move(before) : std::move(file.node);
    std::erase(file.moves, given.move);
    std::erase(file.intents, given.move->intent);
    give_back(given.last);
  }
  return done;
}

/// The newest thing that is owed of the file, if it is a move that another can take the place of; it is not delivered then.
WriteBack::LastMove WriteBack::take_last_move(OpenFile& file, MoveTaken which, const Names& names) {
  std::shared_ptr<OwedMove> last;
  {
    const std::lock_guard lock(file.mutex);
    if (file.moves.empty() || file.intents.back() != file.moves.back()->intent) {
      return {};
    }
    last = file.moves.back();
  }
  // Its old name was taken again: what is to stand there waits for it, or is about to, and must not be met by one that comes later.
  auto source = names_.try_take({last->source.str()}, names);
  if (!source || queue_.is_followed(std::span(&last->intent, 1)) || !queue_.withdraw(last->intent)) {
    return {};
  }
  const bool fits = [&] {
    const std::lock_guard lock(file.mutex);
    return !last->copied && (which == MoveTaken::not_copied || (!last->attempted && !last->replaces));
  }();
  if (!fits) {
    give_back(last);
    return {};
  }
  return {last, std::move(*source)};
}

void WriteBack::give_back(const std::shared_ptr<OwedMove>& move) {
  const auto known = move == nullptr ? std::nullopt : entry(move->intent);
  if (known) {
    enqueue(move->intent, *known, false);
  }
}

meta::Intent WriteBack::record_of_locked(const OpenFile& file, const OwedMove& move) {
  meta::Intent intent{.id = move.intent, .kind = meta::IntentKind::move, .inode = file.node.id, .path = move.path.str(), .source = move.source.str(),
                      .since = move.since, .base = file.node.etag, .posix = file.node.posix, .type = file.node.kind, .rdev = file.node.rdev};
  intent.guard = move.no_replace ? meta::IntentGuard::absent : meta::IntentGuard::none;
  intent.changed = {.mode = move.changes.mode.has_value(), .uid = move.changes.uid.has_value(), .gid = move.changes.gid.has_value(),
                    .mtime = move.changes.mtime_ns.has_value(), .atime = move.changes.atime_ns.has_value(), .xattrs = !move.changes.xattrs.empty()};
  intent.posix.xattrs = move.changes.xattrs;
  intent.size = move.size;
  return intent;
}

/// It is in the journal.
void WriteBack::begin(const std::shared_ptr<OwedMove>& move, const std::shared_ptr<OpenFile>& file, bool parked, const std::string& refusal) {
  Entry entry{.kind = meta::IntentKind::move, .path = move->path.str(), .since = move->since, .file = file, .move = move, .refusal = refusal};
  if (move->renames()) {
    entry.parent = move->source_parent;
    entry.name = move->source_name;
    p_.absent.hold(entry.parent, entry.name, move->intent);
  }
  add(move->intent, std::move(entry), parked);
}

/// The journal does not have it any more.
void WriteBack::end_move(OpenFile& file, const OwedMove& move) {
  {
    const std::lock_guard lock(file.mutex);
    std::erase_if(file.moves, [&](const auto& owed) { return owed->intent == move.intent; });
  }
  if (move.renames()) {
    p_.absent.let_go(move.source_parent, move.source_name, move.intent);
  }
  end(file, move.intent);
}

/// Where a file whose moves are void still is in S3: that is to go.
Result<std::optional<WriteBack::Removal>> WriteBack::left_by(const Taken& taken) {
  if (taken.file_ == nullptr) {
    return std::optional<Removal>();
  }
  std::shared_ptr<OwedMove> first;
  ETag version;
  {
    const std::lock_guard lock(taken.file_->mutex);
    // Attributes that are to change leave the object where it is.
    const auto found = std::ranges::find_if(taken.file_->moves, [](const auto& move) { return move->renames(); });
    first = found == taken.file_->moves.end() ? nullptr : *found;
    version = taken.file_->node.etag;
  }
  if (first == nullptr || std::ranges::find(taken.ids_, first->intent) == taken.ids_.end()) {
    return std::optional<Removal>();
  }
  TRY_ASSIGN(Removal removal, removal_of({first->source_parent, first->source_name, first->source}, version));
  return std::optional<Removal>(std::move(removal));
}

Result<void> WriteBack::deliver_move(meta::IntentId id, const Entry& entry, const CallContext& context) {
  OwedMove& move = *entry.move;
  auto done = p_.committer.deliver_move(*entry.file, move, context);
  bool free = true;
  if (done && move.renames()) {
    done = p_.store.remove(move.source, move.version, context);
    free = done || done.error().code == Errc::not_found;
    if (!free && done.error().code == Errc::conflict) {
      p_.log.info("{} was written by another client while it was renamed here; that version stays", move.source.str());
      done = {};
    } else if (free) {
      done = {};
    }
  }
  if (done) {
    return moved(id, entry, free);
  }
  Error& error = done.error();
  if (error.code == Errc::conflict) {
    undo_move(id, entry, std::move(error));
    return {};
  }
  return sync::is_outage(error) || error.code == Errc::cancelled ? fail(std::move(error)) : park(id, entry, std::move(error));
}

/// S3 has done it. What is owed of the file besides goes on from the version that the copy has.
Result<void> WriteBack::moved(meta::IntentId id, const Entry& entry, bool free) {
  OpenFile& file = *entry.file;
  const OwedMove& move = *entry.move;
  {
    const std::lock_guard record(file.record_mutex);
    meta::JournalChange change{.put = {}, .erase = {id}};
    std::shared_ptr<Owed> newer;
    {
      const std::lock_guard lock(file.mutex);
      newer = file.owed_is_recorded_locked() ? file.owed : nullptr;
      if (file.node.etag != move.version) {
        for (const auto& later : file.moves) {
          if (later->intent != id) {
            change.put.push_back(record_of_locked(file, *later));
          }
        }
        follow_removals(file, change);
      }
    }
    if (newer != nullptr) {
      if (auto next = record_of(file, *newer)) {
        change.put.push_back(std::move(*next));
      }
    }
    if (const auto written = write_journal(std::move(change)); !written) {
      still_recorded(id, entry.path, written.error());
    }
  }
  if (move.renames() && free) {
    note_absent(move.source_parent, move.source_name);
  } else if (move.renames()) {
    forget_listing(move.source_parent);
  }
  end_move(file, move);
  {
    const std::lock_guard lock(file.mutex);
    file.node.local = !file.intents.empty() || (file.node.local && file.unstored);
    if (const auto known = file.unlinked ? Result<meta::Node>(file.node) : p_.nodes.put(file.node); !known) {
      p_.log.warn("the metadata cache did not take {}: {}", entry.path, describe(known.error()));
    }
  }
  settled_(entry.file);
  return {};
}

/// A removal that was acknowledged after a move is of the version that the move has made.
void WriteBack::follow_removals(const OpenFile& file, meta::JournalChange& change) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, owed] : entries_) {
    if (owed.kind == meta::IntentKind::remove && owed.file.get() == &file && !owed.version.empty()) {
      owed.version = file.node.etag;
      change.put.push_back({.id = id, .kind = owed.kind, .path = owed.path, .since = owed.since, .guard = meta::IntentGuard::match, .base = owed.version});
    }
  }
}

/// S3 has no object of that name any more. What was made here under it meanwhile is there all the same: a program that creates a name records it first,
/// and takes back then that it is absent.
void WriteBack::note_absent(InodeId directory, std::string_view name) {
  p_.absent.add(directory, name, p_.clock.now());
  if (const auto made = p_.nodes.find(directory, name); made && *made) {
    p_.absent.remove(directory, name);
  }
}

void WriteBack::forget_listing(InodeId directory) {
  if (const auto forgotten = p_.nodes.forget_listing(directory); !forgotten) {
    p_.log.warn("a name is shown again only when its directory is listed anew: {}", describe(forgotten.error()));
  }
}

/// Somebody else has changed the source, or made the destination: what they made stays, and so does the source, as it is there.
void WriteBack::undo_move(meta::IntentId id, const Entry& entry, Error error) {
  OpenFile& file = *entry.file;
  const OwedMove& move = *entry.move;
  error.code = Errc::stale;
  if (const auto written = write_journal({.put = {}, .erase = {id}}); !written) {
    still_recorded(id, entry.path, written.error());
  }
  std::shared_ptr<Content> content;
  std::string shown_as = entry.path;  // it may have been renamed again
  {
    const std::lock_guard lock(file.mutex);
    content = file.content;
    if (const auto key = p_.tree.file_key(file.node.parent, file.node.name)) {
      shown_as = key->str();
    }
  }
  if (move.renames()) {
    error.what = fmt::format("{} was changed by another client before it was renamed to {} in S3, or that name was taken; both stay as they are there: {}",
                             move.source.str(), entry.path, error.what);
    p_.log.error("{}", error.what);
    if (content != nullptr && !content->kept && !file.unlinked && content->file->missing(kWholeFile).empty()) {
      p_.committer.keep(*content, shown_as, describe(error));
    }
    end_move(file, move);
    cut_off(file, nullptr, std::move(error));
    p_.absent.remove(move.source_parent, move.source_name);
    forget_listing(move.source_parent);
  } else {
    p_.log.warn("mode, owner or time of {} could not be changed in S3: {}", entry.path, error.what);
    end_move(file, move);
    p_.tree.doubt(file.node.id);
  }
  settled_(entry.file);
}

}  // namespace prefixfs::vfs
