// What tests/crash has found: records that end late or not at all, answers that are lost, deliveries beside the program's next call.

#include <atomic>
#include <future>

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

TEST_F(WriteBackTest, AConflictWhoseRecordStaysIsKeptOnceAndDecidedAnew) {
  mount.wrap_journal = [](meta::Journal& journal) {
    return std::make_unique<WatchedJournal>(journal, [](const meta::JournalChange& change) {
      return change.put.empty() ? Result<void>(fail(Errc::no_space, "the disk is full")) : Result<void>();
    });
  };
  mount.restart();
  mount.memory.put_text("a", "old");
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY, 0, "OLD"));
  mount.memory.put_text("a", "theirs");
  answers();
  delivered();
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("OLD"));
  mount.wrap_journal = nullptr;
  mount.restart();
  delivered();
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("OLD"));
  EXPECT_EQ(mount.memory.text("a"), "theirs");
  mount.restart();
  EXPECT_TRUE(mount.fs().owed().empty());
  EXPECT_EQ(mount.staged_files(), 0u);
}

TEST_F(WriteBackTest, ADirectoryThatTheJournalHasNotSeenIsMadeAgain) {
  for (const bool seen : {false, true}) {
    const std::string name = seen ? "seen" : "unseen";
    const auto remember = [&](bool now) {
      if (now) {
        mount.remember_state();
      }
    };
    mount.wrap_journal = [&](meta::Journal& journal) {
      return std::make_unique<WatchedJournal>(
          journal,
          [&](const meta::JournalChange& change) {
            remember(!seen && !change.put.empty());
            return Result<void>();
          },
          [&] { remember(seen); });
    };
    mount.restart();
    outage();
    ASSERT_OK(mount.fs().mkdir(kRoot, name, 0755, mount.caller()));
    mount.wrap_journal = nullptr;
    mount.die_there();
    Caller again = mount.caller();
    EXPECT_ERRC(mount.fs().mkdir(kRoot, name, 0755, again), Errc::exists);
    again.resent = true;
    EXPECT_OK(mount.fs().mkdir(kRoot, name, 0755, again));
    answers();
    delivered();
    EXPECT_EQ(mount.memory.text(name + "/"), "");
  }
}

TEST_F(WriteBackTest, ACloseWaitsForTheRecordThatAnotherCallIsMaking) {
  std::atomic<bool> armed = false;
  bool early = false;
  HandleId second = 0;
  std::future<Result<void>> closed;
  mount.wrap_journal = [&](meta::Journal& journal) {
    return std::make_unique<WatchedJournal>(journal, [&](const meta::JournalChange& change) {
      if (change.put.empty() || !armed.exchange(false)) {
        return Result<void>();
      }
      closed = std::async(std::launch::async, [&] { return mount.fs().flush(second, mount.caller()); });
      early = closed.wait_for(50ms) == std::future_status::ready;
      return Result<void>(fail(Errc::no_space, "the disk is full"));
    });
  };
  mount.restart();
  outage();
  const auto first = mount.create(kRoot, "a");
  ASSERT_OK(first);
  ASSERT_OK(mount.write(*first, 0, "text"));
  const auto opened = mount.open("a", O_WRONLY);
  ASSERT_OK(opened);
  second = *opened;
  armed = true;
  EXPECT_ERRC(mount.fs().fsync(*first, mount.caller()), Errc::no_space);
  EXPECT_FALSE(early);
  EXPECT_OK(closed.get());
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  answers();
}

TEST_F(WriteBackTest, AConflictThatCannotBeKeptStaysOwed) {
  mount.memory.put_text("a", "old");
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY, 0, "OLD"));
  mount.memory.put_text("a", "theirs");
  mount.lose_kept();
  answers();
  EXPECT_ERRC(mount.fs().drain(true, {}), Errc::stale);
  mount.restart();  // makes kept/ anew
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_TRUE(mount.fs().owed()[0].parked);
  mount.fs().retry({});
  delivered();
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("OLD"));
}

TEST_F(WriteBackTest, AStateWhoseRecordCouldNotEndDoesNotComeBack) {
  bool full = false;
  mount.wrap_journal = [&](meta::Journal& journal) {
    return std::make_unique<WatchedJournal>(journal, [&](const meta::JournalChange& change) {
      return full && change.put.empty() ? Result<void>(fail(Errc::no_space, "the disk is full")) : Result<void>();
    });
  };
  mount.restart();
  mount.memory.put_text("gone", "text");
  EXPECT_EQ(*mount.read_file("gone"), "text");
  full = true;
  EXPECT_OK(mount.create_file(kRoot, "a", "1"));
  EXPECT_OK(mount.fs().unlink(kRoot, "gone", mount.caller()));
  EXPECT_OK(mount.fs().drain(false, {}));
  EXPECT_EQ(mount.memory.text("a"), "1");
  full = false;
  EXPECT_OK(mount.create_file(kRoot, "gone", "again"));
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "2"));
  answers();
  delivered();
  mount.restart();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "12");
  EXPECT_EQ(mount.memory.text("gone"), "again");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, AStateThatMayBeInS3IsDeliveredBeforeTheNextOne) {
  mount.memory.put_text("log", "0");
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "1"));
  EXPECT_ERRC(mount.fs().drain(false, {}), Errc::unavailable);
  EXPECT_EQ(mount.memory.text("log"), "01");
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "2"));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "012");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, ADeliveryBesideATruncationRecordsTheSizeOfWhatIsStored) {
  close_gate();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  wait_for_gate();
  ASSERT_OK(mount.open("a", O_WRONLY | O_TRUNC));
  open_gate();
  delivered();
  EXPECT_EQ(mount.lookup("a")->attributes.size, 0u);
  mount.restart();  // killed before the close
  EXPECT_EQ(*mount.read_file("a"), "text");
}

TEST_F(WriteBackTest, AClockThatJumpsByYearsLosesNothing) {
  mount.memory.put_text("log", "0");
  mount.memory.put_text("gone", "text");
  EXPECT_EQ(*mount.read_file("gone"), "text");
  outage();
  const WallTime now = mount.clock.now();
  EXPECT_OK(mount.create_file(kRoot, "a", "1"));
  mount.clock.set_now(now - std::chrono::years(5));
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "1"));
  EXPECT_OK(mount.fs().unlink(kRoot, "gone", mount.caller()));
  mount.restart();
  mount.clock.set_now(now + std::chrono::years(20));
  EXPECT_OK(mount.create_file(kRoot, "b", "2"));
  EXPECT_EQ(*mount.read_file("a"), "1");
  EXPECT_EQ(*mount.read_file("log"), "01");
  EXPECT_ERRC(mount.lookup("gone"), Errc::not_found);
  mount.clock.set_now(now - std::chrono::years(1));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "1");
  EXPECT_EQ(mount.memory.text("b"), "2");
  EXPECT_EQ(mount.memory.text("log"), "01");
  EXPECT_EQ(mount.memory.text("gone"), std::nullopt);
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, WhenTheClockWasSetBackAnotherClientsVersionIsNotOverwrittenUnseen) {
  mount.memory.put_text("a", "old");
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "mine"));
  mount.clock.advance(1min);
  mount.memory.put_text("a", "theirs");
  mount.clock.set_now(mount.clock.now() - std::chrono::years(5));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "theirs");
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("mine"));
}

TEST_F(WriteBackTest, AnUnlinkDoesNotCancelARequestThatS3MayHaveAlready) {
  close_gate();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  wait_for_gate();
  mount.store.add({.operation = "DeleteObject", .count = -1});
  std::jthread opener([this] { open_gate(); });
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_EQ(mount.memory.text("a"), "text") << "the answer was waited for, so the removal comes after it";
  answers();
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(WriteBackTest, AnUnlinkThatMeetsTheEndOfTheDeliveryRemovesTheObject) {
  mount.clock.hold_naps(false);
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> stored = false;
    mount.store.after_each([&](const test::FaultyStore::Call& call) { stored = stored || call.operation == "PutObject"; });
    ASSERT_OK(mount.create_file(kRoot, "a", "text"));
    if (round % 2 == 0) {
      while (!stored) {
        std::this_thread::yield();
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(round * 80));  // the record ends at some moment of these
    ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
    mount.store.after_each(nullptr);
    delivered();
    ASSERT_TRUE(mount.memory.keys().empty()) << round;
  }
}

TEST_F(WriteBackTest, ADirectoryWhoseMarkerIsMadeWhileItIsRemovedIsRemoved) {
  close_gate();
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  wait_for_gate();
  mount.store.after_each([this](const test::FaultyStore::Call& call) {
    if (call.operation == "ListObjectsV2") {  // S3 has just said that there is no marker
      open_gate();
      delivered();
    }
  });
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(WriteBackTest, ADirectoryWhoseMarkerMayBeThereIsRemoved) {
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  EXPECT_ERRC(mount.fs().drain(false, {}), Errc::unavailable);
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  answers();
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(WriteBackTest, ADirectoryIsOfThisMountOnlyOnceItIsInTheJournal) {
  std::vector<bool> before;
  mount.wrap_journal = [&](meta::Journal& journal) {
    return std::make_unique<WatchedJournal>(journal, [&](const meta::JournalChange& change) {
      if (!change.put.empty()) {
        before.push_back(mount.nodes().find(kRoot, "dir")->value().local);
      }
      return Result<void>();
    });
  };
  mount.restart();
  outage();
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  EXPECT_THAT(before, ::testing::ElementsAre(false)) << "a process that dies here leaves no directory that only this mount has";
  EXPECT_TRUE(mount.nodes().find(kRoot, "dir")->value().local);
}

}  // namespace
}  // namespace prefixfs::vfs
