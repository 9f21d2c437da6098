// Handles of a process that has died: the same version under the same number, or an error for ever.

#include <map>

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

class ReopenTest : public VfsTest {
 protected:
  /// The process dies; the next one is told what was open.
  Result<void> die_and_reopen(HandleId handle, InodeId inode, int flags) {
    const auto state = mount.fs().open_state(inode);
    mount.restart();
    mount.fs().number_handles_from(1000);
    return mount.fs().reopen({.handle = handle, .inode = inode, .flags = flags, .state = state.value_or(OpenState{})});
  }
  Mount mount{small_parts()};
};

TEST_F(ReopenTest, AReaderGoesOnWithoutARequestOfItsOwn) {
  const std::string body = pattern(200'000);
  mount.memory.put_text("file", body);
  const auto handle = mount.open("file", O_RDONLY);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(mount.read(*handle, 0, 100));
  mount.requests();
  ASSERT_OK(die_and_reopen(*handle, inode, O_RDONLY));
  EXPECT_THAT(mount.requests(), testing::IsEmpty());
  const auto read = mount.read(*handle, 150'000, 1000);
  ASSERT_OK(read);
  EXPECT_EQ(*read, body.substr(150'000, 1000));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(ReopenTest, NewHandlesHaveOtherNumbers) {
  mount.memory.put_text("file", "x");
  const auto handle = mount.open("file", O_RDONLY);
  ASSERT_OK(handle);
  ASSERT_OK(die_and_reopen(*handle, mount.id("file"), O_RDONLY));
  const auto another = mount.open("file", O_RDONLY);
  ASSERT_OK(another);
  EXPECT_GE(*another, 1000u);
  const auto directory = mount.fs().opendir(kRoot, mount.caller());
  ASSERT_OK(directory);
  EXPECT_GE(*directory, 1000u);
}

TEST_F(ReopenTest, AVersionThatIsGoneIsStaleAndNeverMixed) {
  mount.memory.put_text("file", pattern(200'000, 1));
  const auto handle = mount.open("file", O_RDONLY);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(die_and_reopen(*handle, inode, O_RDONLY));
  mount.memory.put_text("file", pattern(200'000, 2));
  EXPECT_ERRC(mount.read(*handle, 150'000, 1000), Errc::stale);
}

TEST_F(ReopenTest, AnotherVersionBehindTheInodeIsStale) {
  mount.memory.put_text("file", "x");
  const InodeId inode = mount.id("file");
  mount.restart();
  const OpenBefore before{.handle = 5, .inode = inode, .flags = O_RDONLY, .state = {.version = ETag::from_wire("another")}};
  EXPECT_ERRC(mount.fs().reopen(before), Errc::stale);
  EXPECT_ERRC(mount.read(5), Errc::stale);
  EXPECT_OK(mount.close(5));
  EXPECT_EQ(mount.read_file("file"), "x");
}

class ReopenOwedTest : public WriteBackTest {
 protected:
  /// A new file that nobody has closed.
  void open_new(std::string_view name, std::string_view text) {
    const auto opened = mount.create(kRoot, name);
    ASSERT_OK(opened);
    handle_ = *opened;
    inode_ = mount.id(name);
    ASSERT_OK(mount.write(handle_, 0, text));
    known_ = mount.fs().open_state(inode_);
  }
  /// What the next process does with the handle.
  void reopen_at_start() {
    mount.wrap_journal = nullptr;
    mount.reopen = [this] {
      mount.fs().number_handles_from(1000);
      EXPECT_OK(mount.fs().reopen({.handle = handle_, .inode = inode_, .flags = O_WRONLY, .state = *known_}));
    };
  }
  /// The process dies in the middle of what is done next: when the journal has been told, or before.
  void remember_state_at_the_journal(bool before) {
    const auto remember = [this] {
      mount.remember_state();
      known_ = mount.fs().open_state(inode_);
    };
    mount.wrap_journal = [=, this](meta::Journal& journal) {
      return std::make_unique<WatchedJournal>(
          journal,
          [=, this](const meta::JournalChange& change) {
            if (before && inode_ != 0 && !change.put.empty()) {
              remember();
            }
            return Result<void>();
          },
          [=, this] {
            if (!before && inode_ != 0) {
              remember();
            }
          });
    };
    mount.restart();
  }

  void close_and_deliver() {
    ASSERT_OK(mount.close(handle_));
    answers();
    delivered();
  }

  /// The process dies, another client writes the file, and the next process closes it: what S3 has then.
  std::string closed_after_another_client() {
    known_ = mount.fs().open_state(inode_);
    reopen_at_start();
    mount.die();
    mount.memory.put_text("file", "another client's");
    EXPECT_OK(mount.close(handle_));
    delivered();
    return mount.memory.text("file").value_or("nothing");
  }

  HandleId handle_ = 0;
  InodeId inode_ = 0;
  std::optional<OpenState> known_;
};

TEST_F(ReopenOwedTest, ACloseThatTheJournalHasNotSeenIsMadeAgain) {
  remember_state_at_the_journal(true);
  outage();
  open_new("file", "text");
  ASSERT_OK(mount.fs().flush(handle_, mount.caller()));
  reopen_at_start();
  mount.die_there();
  EXPECT_TRUE(mount.fs().owed().empty());
  ASSERT_OK(mount.fs().flush(handle_, mount.caller()));
  ASSERT_NO_FATAL_FAILURE(close_and_deliver());
  EXPECT_EQ(mount.memory.text("file"), "text");
}

TEST_F(ReopenOwedTest, ANewFileThatNobodyHasWrittenToOverwritesNothing) {
  const auto opened = mount.create(kRoot, "file", O_WRONLY | O_TRUNC);
  ASSERT_OK(opened);
  handle_ = *opened;
  inode_ = mount.id("file");
  EXPECT_EQ(closed_after_another_client(), "another client's");
}

TEST_F(ReopenOwedTest, ANewFileThatWasCutToNothingIsStillTheLastWriters) {
  open_new("file", "text");
  ASSERT_OK(mount.fs().setattr(inode_, handle_, {.size = 0}, mount.caller()));
  EXPECT_EQ(closed_after_another_client(), "");
}

TEST_F(ReopenOwedTest, ANewFileOverAnOwedRemovalKeepsItsName) {
  mount.memory.put_text("file", "old");
  EXPECT_EQ(*mount.read_file("file"), "old");
  outage();
  ASSERT_OK(mount.fs().unlink(kRoot, "file", mount.caller()));
  open_new("file", "text");
  reopen_at_start();
  mount.die();
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_EQ(mount.id("file"), inode_);
  EXPECT_OK(mount.fs().getattr(inode_, mount.caller()));
  ASSERT_NO_FATAL_FAILURE(close_and_deliver());
  EXPECT_EQ(mount.memory.text("file"), "text");
}

TEST_F(ReopenOwedTest, ANewFileThatWasReplacedIsNotStored) {
  remember_state_at_the_journal(false);
  outage();
  ASSERT_OK(mount.create_file(kRoot, "other", "other"));
  open_new("file", "text");
  ASSERT_OK(mount.fs().rename(kRoot, "other", kRoot, "file", 0, mount.caller()));
  reopen_at_start();
  mount.die_there();
  EXPECT_NE(mount.id("file"), inode_);
  ASSERT_NO_FATAL_FAILURE(close_and_deliver());
  EXPECT_EQ(mount.memory.text("file"), "other");
  EXPECT_THAT(mount.kept(), testing::IsEmpty());
}

TEST_F(ReopenOwedTest, WhatWasDeliveredSinceIsTheSameFile) {
  const auto handle = mount.create(kRoot, "file");
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(mount.write(*handle, 0, "text"));
  outage();
  ASSERT_OK(mount.fs().flush(*handle, mount.caller()));
  const auto state = mount.fs().open_state(inode);
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->owed);
  answers();
  delivered();
  EXPECT_FALSE(mount.fs().open_state(inode)->owed);
  mount.restart();
  mount.fs().number_handles_from(1000);
  ASSERT_OK(mount.fs().reopen({.handle = *handle, .inode = inode, .flags = O_RDWR, .state = *state}));
  EXPECT_EQ(*mount.read(*handle), "text");
  EXPECT_OK(mount.close(*handle));
}

TEST_F(ReopenOwedTest, WhoRemembersHandlesIsToldOfDeliveries) {
  std::mutex mutex;
  std::map<InodeId, bool> told;  // -> whether something was owed then
  mount.fs().on_settled([&](InodeId id) {
    const auto state = mount.fs().open_state(id);
    const std::lock_guard lock(mutex);
    told[id] = !state || state->owed;
  });
  const auto handle = mount.create(kRoot, "file");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "text"));
  ASSERT_OK(mount.fs().fsync(*handle, mount.caller()));
  delivered();
  mount.fs().on_settled(nullptr);
  EXPECT_THAT(told, testing::ElementsAre(testing::Pair(mount.id("file"), false)));
  EXPECT_OK(mount.close(*handle));
}

/// commit=close.
class InterruptedRenameTest : public WriteBackTest {
 protected:
  InterruptedRenameTest() : WriteBackTest({}) {}
};

TEST_F(InterruptedRenameTest, IsInS3WhenItIsAcknowledgedToTheKernelThatHasSentItAgain) {
  mount.memory.put_text("a", "text");
  mount.wrap_journal = [this](meta::Journal& journal) {
    return std::make_unique<WatchedJournal>(
        journal,
        [this](const meta::JournalChange& change) {
          if (change.put.empty()) {
            mount.remember_state();  // S3 has begun, and the record is there
          }
          return Result<void>();
        });
  };
  mount.restart();
  mount.store.add({.operation = "CopyObject", .count = 1, .error = {Errc::denied, "as if it had never come there", {}}});
  EXPECT_ERRC(mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()), Errc::denied);
  mount.wrap_journal = nullptr;
  mount.die_there();
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  answers();
  Caller again = mount.caller();
  again.resent = true;
  EXPECT_OK(mount.fs().rename(kRoot, "a", kRoot, "b", 0, again));
  EXPECT_THAT(mount.memory.keys(), testing::ElementsAre("b"));
}

TEST_F(ReopenTest, AWriterOfWhichEverythingIsStoredGoesOn) {
  mount.memory.put_text("file", pattern(3000));
  const auto handle = mount.open("file", O_RDWR);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(mount.write(*handle, 0, "first"));
  ASSERT_OK(mount.fs().fsync(*handle, mount.caller()));
  ASSERT_OK(die_and_reopen(*handle, inode, O_RDWR));
  ASSERT_OK(mount.write(*handle, 10, "second"));
  ASSERT_OK(mount.close(*handle));
  std::string expected = pattern(3000);
  expected.replace(0, 5, "first").replace(10, 6, "second");
  EXPECT_EQ(mount.memory.text("file"), expected);
}

TEST_F(ReopenTest, WhatWasNotStoredIsAnErrorForItsHandleAndForNobodyElse) {
  mount.memory.put_text("file", "old");
  const auto handle = mount.open("file", O_RDWR);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(mount.write(*handle, 0, "NEW"));
  EXPECT_ERRC(die_and_reopen(*handle, inode, O_RDWR), Errc::io);
  EXPECT_ERRC(mount.read(*handle), Errc::stale);
  EXPECT_ERRC(mount.write(*handle, 0, "x"), Errc::io);
  EXPECT_ERRC(mount.fs().fsync(*handle, mount.caller()), Errc::io);
  EXPECT_ERRC(mount.fs().setattr(inode, *handle, {.size = 0}, mount.caller()), Errc::io);
  EXPECT_EQ(mount.read_file("file"), "old");
  EXPECT_OK(mount.change_file("file", O_WRONLY, 0, "own"));
  EXPECT_ERRC(mount.close(*handle), Errc::io);
  EXPECT_EQ(mount.memory.text("file"), "own");
}

TEST_F(ReopenTest, ANewFileThatNeverReachedS3LosesItsName) {
  const auto handle = mount.create(kRoot, "new");
  ASSERT_OK(handle);
  const InodeId inode = mount.id("new");
  ASSERT_OK(mount.write(*handle, 0, "lost"));
  EXPECT_ERRC(die_and_reopen(*handle, inode, O_WRONLY), Errc::io);
  EXPECT_ERRC(mount.fs().open(inode, O_WRONLY, mount.caller()), Errc::stale);  // the kernel looks it up again
  EXPECT_ERRC(mount.lookup("new"), Errc::not_found);
  EXPECT_OK(mount.create_file(kRoot, "new", "again"));
  EXPECT_ERRC(mount.close(*handle), Errc::io);
  EXPECT_EQ(mount.memory.text("new"), "again");
}

TEST_F(ReopenTest, WhatIsDeadIsNotTakenForWhatHasTheNumberNow) {
  mount.memory.put_text("file", "old");
  const auto handle = mount.open("file", O_RDWR);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("file");
  ASSERT_OK(mount.write(*handle, 0, "NEW"));
  EXPECT_ERRC(die_and_reopen(*handle, inode, O_RDWR), Errc::io);
  EXPECT_OK(mount.change_file("file", O_WRONLY, 0, "own"));
  mount.restart();
  EXPECT_ERRC(mount.fs().reopen({.handle = *handle, .inode = inode, .flags = O_RDWR, .state = {.unstored = true}, .dead = true}), Errc::io);
  EXPECT_ERRC(mount.write(*handle, 0, "x"), Errc::io);
  EXPECT_ERRC(mount.close(*handle), Errc::io);
  EXPECT_EQ(mount.memory.text("file"), "own");
}

TEST_F(ReopenTest, OfAnOpenFileIsKnownWhatIsNotStored) {
  mount.memory.put_text("file", "old");
  const InodeId inode = mount.id("file");
  EXPECT_FALSE(mount.fs().open_state(inode));
  const auto handle = mount.open("file", O_RDWR);
  ASSERT_OK(handle);
  const auto before = mount.fs().open_state(inode);
  ASSERT_TRUE(before);
  EXPECT_FALSE(before->unstored);
  ASSERT_OK(mount.write(*handle, 0, "NEW"));
  EXPECT_TRUE(mount.fs().open_state(inode)->unstored);
  ASSERT_OK(mount.fs().fsync(*handle, mount.caller()));
  EXPECT_FALSE(mount.fs().open_state(inode)->unstored);
  EXPECT_NE(mount.fs().open_state(inode)->version, before->version);
}

TEST_F(ReopenTest, ADirectoryGoesOnBehindANameThatIsGone) {
  for (const char* name : {"a", "b", "c", "d"}) {
    mount.memory.put_text(name, "x");
  }
  const auto handle = mount.fs().opendir(kRoot, mount.caller());
  ASSERT_OK(handle);
  std::uint64_t position = 0;
  ASSERT_OK(mount.fs().readdir(*handle, 0, [&](const DirectoryEntry& entry) {
    position = entry.position;
    return entry.name != "b";
  }, mount.caller()));
  position = mount.id("b") + 2;  // "." and ".." come before
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  ASSERT_OK(mount.fs().unlink(kRoot, "b", mount.caller()));
  mount.restart();
  mount.fs().reopen_directory(*handle, kRoot);
  std::vector<std::string> rest;
  ASSERT_OK(mount.fs().readdir(*handle, position, [&](const DirectoryEntry& entry) {
    rest.push_back(entry.name);
    return true;
  }, mount.caller()));
  EXPECT_THAT(rest, testing::ElementsAre("c", "d"));
}

}  // namespace
}  // namespace prefixfs::vfs
