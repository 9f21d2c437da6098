#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "intent_record.h"
#include "lmdb_journal.h"
#include "open_meta.h"
#include "support/temp_dir.h"

namespace prefixfs::meta {
namespace {

constexpr std::uint64_t kMap = 1 << 20;

Intent removal(IntentId id, std::string path = "a/old.txt") {
  Intent intent;
  intent.id = id;
  intent.kind = IntentKind::remove;
  intent.path = std::move(path);
  return intent;
}

/// A store with so many ranges that it takes `bytes` bytes and a few.
Intent large(IntentId id, std::size_t bytes) {
  Intent intent;
  intent.id = id;
  intent.path = "large";
  intent.bytes = StagedBytes{.name = "0000000000000001", .size = bytes, .base_size = bytes, .valid = {}, .dirty = {}};
  for (std::size_t at = 0; at < bytes / 16; ++at) {
    intent.bytes->valid.push_back({2 * at, 2 * at + 1});
  }
  return intent;
}

class JournalTest : public ::testing::Test {
 protected:
  void open(std::uint64_t map_bytes = kMap, std::uint64_t map_bytes_max = 64 << 20) {
    journal_.reset();
    env_.reset();
    auto env = LmdbEnv::open({.directory = temp_.file("journal"), .map_bytes = map_bytes, .map_bytes_max = map_bytes_max});
    ASSERT_TRUE(env) << describe(env.error());
    env_ = std::move(*env);
    journal_ = std::make_unique<LmdbJournal>(env_);
  }
  void SetUp() override { open(); }

  std::vector<Intent> load() {
    const auto contents = journal_->load();
    EXPECT_TRUE(contents) << describe(contents.error());
    EXPECT_TRUE(contents->damaged.empty());
    return contents->intents;
  }
  std::optional<std::string> get(std::string_view key) {
    std::optional<std::string> found;
    EXPECT_TRUE(env_->read([&](Txn& txn) -> Result<void> {
      TRY_ASSIGN(found, txn.get(key));
      return {};
    }));
    return found;
  }
  void put(std::string_view key, std::string_view value) {
    ASSERT_TRUE(env_->write([&](Txn& txn) { return txn.put(key, value); }));
  }
  /// All of `changes` come while a transaction of somebody else runs, after one more that is the first to wait. Gives back their outcomes in order.
  std::vector<Result<void>> apply_as_a_group(std::vector<JournalChange> changes) {
    const std::uint64_t before = journal_->stats().changes;
    std::promise<void> entered;
    std::promise<void> release;
    std::jthread blocker([&, done = release.get_future()]() mutable {
      EXPECT_TRUE(env_->write([&](Txn&) -> Result<void> {
        entered.set_value();
        done.wait();
        return {};
      }));
    });
    entered.get_future().wait();
    auto first = std::async(std::launch::async, [&] { return journal_->apply({.put = {removal(1)}, .erase = {}}); });
    wait_for_changes(before + 1);
    std::vector<std::future<Result<void>>> waiting;
    for (JournalChange& change : changes) {
      waiting.push_back(std::async(std::launch::async, [&] { return journal_->apply(std::move(change)); }));
      wait_for_changes(before + 1 + waiting.size());
    }
    release.set_value();
    EXPECT_TRUE(first.get());
    std::vector<Result<void>> outcomes;
    for (auto& outcome : waiting) {
      outcomes.push_back(outcome.get());
    }
    return outcomes;
  }
  void wait_for_changes(std::uint64_t count) {
    while (journal_->stats().changes < count) {
      std::this_thread::yield();
    }
  }

  test::TempDir temp_;
  std::shared_ptr<LmdbEnv> env_;
  std::unique_ptr<LmdbJournal> journal_;
};

TEST_F(JournalTest, is_empty_at_first) { EXPECT_TRUE(load().empty()); }

TEST_F(JournalTest, what_was_acknowledged_is_there_in_order_after_opening_again) {
  const Intent store = large(256, 64);
  ASSERT_TRUE(journal_->apply({.put = {removal(257), store}, .erase = {}}));
  ASSERT_TRUE(journal_->apply({.put = {removal(2, "b")}, .erase = {}}));
  open();
  EXPECT_EQ(load(), (std::vector<Intent>{removal(2, "b"), store, removal(257)}));
}

TEST_F(JournalTest, a_new_state_replaces_the_old_and_what_is_done_goes) {
  ASSERT_TRUE(journal_->apply({.put = {removal(1), removal(2), removal(3)}, .erase = {}}));
  Intent parked = removal(2);
  parked.parked = true;
  parked.last_error = "AccessDenied";
  ASSERT_TRUE(journal_->apply({.put = {parked}, .erase = {1, 99}}));
  EXPECT_EQ(load(), (std::vector<Intent>{parked, removal(3)}));
  ASSERT_TRUE(journal_->apply({.put = {}, .erase = {2, 3}}));
  EXPECT_TRUE(load().empty());
}

TEST_F(JournalTest, a_change_of_nothing_takes_no_commit) {
  ASSERT_TRUE(journal_->apply({}));
  EXPECT_EQ(journal_->stats().changes, 1U);
  EXPECT_EQ(journal_->stats().commits, 0U);
}

TEST_F(JournalTest, what_could_not_be_read_again_is_not_acknowledged) {
  EXPECT_EQ(journal_->apply({.put = {removal(1), removal(2, "")}, .erase = {}}).error().code, Errc::invalid);
  EXPECT_EQ(journal_->apply({.put = {removal(0)}, .erase = {}}).error().code, Errc::invalid);
  EXPECT_EQ(journal_->apply({.put = {removal(1, std::string(1025, 'p'))}, .erase = {}}).error().code, Errc::invalid);
  EXPECT_TRUE(load().empty()) << "all or nothing";
  Intent talkative = removal(1);
  talkative.last_error = std::string(100000, 'e');
  ASSERT_TRUE(journal_->apply({.put = {talkative}, .erase = {}}));
  EXPECT_EQ(load().at(0).last_error, std::string(4096, 'e'));
}

TEST_F(JournalTest, those_who_come_during_a_transaction_share_the_next_one) {
  std::vector<JournalChange> changes;
  for (IntentId id = 2; id <= 21; ++id) {
    changes.push_back({.put = {removal(id)}, .erase = {}});
  }
  for (const auto& outcome : apply_as_a_group(std::move(changes))) {
    EXPECT_TRUE(outcome);
  }
  EXPECT_EQ(journal_->stats().changes, 21U);
  EXPECT_EQ(journal_->stats().commits, 2U);
  open();
  EXPECT_EQ(load().size(), 21U);
}

TEST_F(JournalTest, changes_of_a_group_are_made_in_the_order_of_their_coming) {
  std::vector<JournalChange> changes;
  changes.push_back({.put = {removal(2, "first")}, .erase = {}});
  changes.push_back({.put = {removal(2, "second"), removal(3)}, .erase = {}});
  changes.push_back({.put = {}, .erase = {3}});
  apply_as_a_group(std::move(changes));
  EXPECT_EQ(load(), (std::vector<Intent>{removal(1), removal(2, "second")}));
}

TEST_F(JournalTest, a_change_that_cannot_be_made_fails_alone) {
  open(256 << 10, 256 << 10);
  std::vector<JournalChange> changes;
  changes.push_back({.put = {removal(2)}, .erase = {}});
  changes.push_back({.put = {removal(3), large(4, 1 << 20)}, .erase = {1}});
  changes.push_back({.put = {removal(5)}, .erase = {}});
  const auto outcomes = apply_as_a_group(std::move(changes));
  EXPECT_TRUE(outcomes[0]);
  ASSERT_FALSE(outcomes[1]);
  EXPECT_EQ(outcomes[1].error().code, Errc::no_space);
  EXPECT_TRUE(outcomes[2]);
  EXPECT_EQ(journal_->stats().commits, 3U) << "the first alone, then two of the group one by one";
  EXPECT_EQ(load(), (std::vector<Intent>{removal(1), removal(2), removal(5)})) << "nothing of the change that failed";
}

TEST_F(JournalTest, a_full_map_grows_below_a_group) {
  open(128 << 10, 64 << 20);
  std::vector<JournalChange> changes;
  for (IntentId id = 2; id <= 5; ++id) {
    changes.push_back({.put = {large(id, 200 << 10)}, .erase = {}});
  }
  for (const auto& outcome : apply_as_a_group(std::move(changes))) {
    EXPECT_TRUE(outcome);
  }
  EXPECT_EQ(journal_->stats().commits, 2U);
  open();
  const auto intents = load();
  ASSERT_EQ(intents.size(), 5U);
  EXPECT_EQ(intents[4], large(5, 200 << 10));
}

TEST_F(JournalTest, many_threads_take_few_commits_and_lose_nothing) {
  constexpr int kThreads = 16;
  constexpr int kEach = 40;
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto id = journal_->next_id();
          failed += id && journal_->apply({.put = {removal(*id, std::to_string(t) + "/" + std::to_string(i))}, .erase = {}}) ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  const JournalStats stats = journal_->stats();
  EXPECT_EQ(stats.changes, static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_LT(stats.commits, stats.changes);
  std::printf("[ COMMITS  ] %llu for %llu changes\n", static_cast<unsigned long long>(stats.commits), static_cast<unsigned long long>(stats.changes));
  open();
  std::set<std::string> paths;
  std::map<std::string, int> last_of;
  for (const Intent& intent : load()) {
    paths.insert(intent.path);
    const auto slash = intent.path.find('/');
    const int number = std::stoi(intent.path.substr(slash + 1));
    int& last = last_of.try_emplace(intent.path.substr(0, slash), -1).first->second;
    EXPECT_LT(last, number) << "ids of one thread grow";
    last = number;
  }
  EXPECT_EQ(paths.size(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(JournalTest, a_damaged_record_is_set_aside_and_named_once) {
  ASSERT_TRUE(journal_->apply({.put = {removal(1), removal(2), removal(3)}, .erase = {}}));
  const std::string bad = encode_intent(removal(2)) + "trailing";
  put(intent_key(2), bad);
  put("qshort", "x");
  const auto contents = journal_->load();
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->intents, (std::vector<Intent>{removal(1), removal(3)}));
  ASSERT_EQ(contents->damaged.size(), 2U);
  EXPECT_NE(contents->damaged[0].find("intent 2 of the journal"), std::string::npos) << contents->damaged[0];
  EXPECT_EQ(get(damaged_key(intent_key(2))), bad) << "not deleted";
  EXPECT_EQ(get("xqshort"), "x");
  EXPECT_EQ(get(intent_key(2)), std::nullopt);
  open();
  EXPECT_EQ(load().size(), 2U) << "it does not come again";
}

TEST_F(JournalTest, records_of_others_are_no_intents) {
  put("p", "before");
  put("r", "behind");
  ASSERT_TRUE(journal_->next_id());
  EXPECT_TRUE(load().empty());
}

TEST_F(JournalTest, ids_grow_and_never_come_twice) {
  IntentId last = 0;
  for (int round = 0; round < 3; ++round) {
    open();
    for (int i = 0; i < 1500; ++i) {
      const auto id = journal_->next_id();
      ASSERT_TRUE(id);
      ASSERT_GT(*id, last);
      last = *id;
    }
  }
}

TEST_F(JournalTest, a_damaged_counter_gives_no_id) {
  put("mintent", "x");
  EXPECT_EQ(journal_->next_id().error().code, Errc::corrupt);
  put("mintent", std::string(8, '\0'));
  EXPECT_EQ(journal_->next_id().error().code, Errc::corrupt) << "0 is no id";
}

TEST(JournalOfAMetaStore, lives_beside_the_others_and_as_long_as_it_is_held) {
  const test::TempDir temp;
  const MetaOptions options{.directory = temp.str(), .source = "s", .cache_map_bytes = 16 << 20, .journal_map_bytes = 16 << 20};
  IntentId first = 0;
  {
    std::unique_ptr<Journal> journal;
    {
      auto store = open_meta(options, "boot-1");
      ASSERT_TRUE(store);
      ASSERT_TRUE(store->facts->put("region", "eu-central-1"));
      journal = std::move(store->journal);
    }
    first = *journal->next_id();
    ASSERT_TRUE(journal->apply({.put = {removal(first)}, .erase = {}}));
  }
  const auto store = open_meta(options, "boot-2");
  ASSERT_TRUE(store);
  EXPECT_EQ(store->journal->load()->intents, (std::vector<Intent>{removal(first)}));
  EXPECT_GT(*store->journal->next_id(), first);
}

}  // namespace
}  // namespace prefixfs::meta
