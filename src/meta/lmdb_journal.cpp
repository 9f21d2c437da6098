#include "lmdb_journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "intent_record.h"

namespace prefixfs::meta {

namespace {

/// What can be said of a record that cannot be read.
std::string describe_damaged(std::string_view key, std::string_view value) {
  const auto id = decode_intent_key(key);
  const std::string what = id ? fmt::format("intent {}", *id) : fmt::format("an intent with a key of {} bytes", key.size());
  return fmt::format("{} of the journal cannot be read ({} bytes) and is set aside: a change that a program was told is safe may not be in S3",
                     what, value.size());
}

}  // namespace

Result<JournalContents> LmdbJournal::load() {
  JournalContents contents;
  std::vector<std::pair<std::string, std::string>> bad;
  TRY(journal_->read([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(Cursor cursor, Cursor::open(txn));
    TRY_ASSIGN(bool found, cursor.seek(std::string(1, kIntentLetter)));
    while (found && cursor.key().starts_with(kIntentLetter)) {
      if (auto intent = decode_intent(cursor.key(), cursor.value())) {
        contents.intents.push_back(std::move(*intent));
      } else {
        bad.emplace_back(cursor.key(), cursor.value());
      }
      TRY_ASSIGN(found, cursor.next());
    }
    return {};
  }));
  if (bad.empty()) {
    return contents;
  }
  const auto set_aside = [&](Txn& txn) -> Result<void> {
    for (const auto& [key, value] : bad) {
      TRY(txn.put(damaged_key(key), value));
      TRY(txn.erase(key));
    }
    return {};
  };
  TRY(journal_->write(set_aside));
  for (const auto& [key, value] : bad) {
    contents.damaged.push_back(describe_damaged(key, value));
  }
  return contents;
}

/// What cannot be read again must not be acknowledged, so each record is read here, before it is written.
Result<LmdbJournal::Waiting> LmdbJournal::prepare(JournalChange change) {
  Waiting waiting;
  for (Intent& intent : change.put) {
    intent.last_error.resize(std::min(intent.last_error.size(), kIntentErrorBytesMax));
    std::string key = intent_key(intent.id);
    std::string value = encode_intent(intent);
    if (decode_intent(key, value) != intent) {
      return fail(Errc::invalid, fmt::format("intent {} for \"{}\" contradicts itself and is not written to the journal", intent.id, intent.path));
    }
    waiting.put.emplace_back(std::move(key), std::move(value));
  }
  for (const IntentId id : change.erase) {
    waiting.erase.push_back(intent_key(id));
  }
  return waiting;
}

Result<void> LmdbJournal::write(Txn& txn, const Waiting& waiting) {
  for (const auto& [key, value] : waiting.put) {
    TRY(txn.put(key, value));
  }
  for (const std::string& key : waiting.erase) {
    TRY(txn.erase(key));
  }
  return {};
}

/// Whoever finds nobody committing commits for all that wait; the others find their outcome when they wake, or are the next.
Result<void> LmdbJournal::apply(JournalChange change) {
  TRY_ASSIGN(Waiting mine, prepare(std::move(change)));
  std::unique_lock lock(mutex_);
  ++stats_.changes;
  if (mine.put.empty() && mine.erase.empty()) {
    return {};
  }
  queue_.push_back(&mine);
  committed_.wait(lock, [&] { return mine.done || !committing_; });
  if (!mine.done) {
    committing_ = true;
    const std::vector<Waiting*> group = std::exchange(queue_, {});
    lock.unlock();
    const std::uint64_t commits = commit(group);
    lock.lock();
    stats_.commits += commits;
    for (Waiting* waiting : group) {
      waiting->done = true;
    }
    committing_ = false;
    committed_.notify_all();
  }
  return std::move(mine.outcome);
}

std::uint64_t LmdbJournal::commit(const std::vector<Waiting*>& group) {
  const Result<void> together = journal_->write([&](Txn& txn) -> Result<void> {
    for (const Waiting* waiting : group) {
      TRY(write(txn, *waiting));
    }
    return {};
  });
  if (together || group.size() == 1) {
    group.front()->outcome = together;
    return together ? 1 : 0;
  }
  // One change that cannot be made must not take the others with it.
  std::uint64_t commits = 0;
  for (Waiting* waiting : group) {
    waiting->outcome = journal_->write([&](Txn& txn) { return write(txn, *waiting); });
    commits += waiting->outcome ? 1 : 0;
  }
  return commits;
}

JournalStats LmdbJournal::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace prefixfs::meta
