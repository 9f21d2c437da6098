#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "counter.h"
#include "lmdb_env.h"
#include "prefixfs/meta/journal.h"

namespace prefixfs::meta {

class LmdbJournal final : public Journal {
 public:
  explicit LmdbJournal(std::shared_ptr<LmdbEnv> journal) : journal_(journal), ids_(std::move(journal), kIntentNumbers) {}
  Result<JournalContents> load() override;
  Result<IntentId> next_id() override { return ids_.next(); }
  Result<void> apply(JournalChange change) override;
  JournalStats stats() const override;

 private:
  /// One caller of apply(), who waits. Lives on his stack.
  struct Waiting {
    std::vector<std::pair<std::string, std::string>> put;
    std::vector<std::string> erase;
    Result<void> outcome;
    bool done = false;
  };
  static Result<Waiting> prepare(JournalChange change);
  static Result<void> write(Txn& txn, const Waiting& waiting);
  /// Gives each of the group its outcome, and gives back the number of transactions that took.
  std::uint64_t commit(const std::vector<Waiting*>& group);

  std::shared_ptr<LmdbEnv> journal_;
  Counter ids_;
  mutable std::mutex mutex_;           ///< not held while a transaction runs
  std::condition_variable committed_;
  std::vector<Waiting*> queue_;        ///< who will share the next transaction, in order of their coming
  bool committing_ = false;            ///< somebody commits a group; whoever comes meanwhile waits in the queue
  JournalStats stats_;
};

}  // namespace prefixfs::meta
