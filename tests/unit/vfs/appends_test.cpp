// Two clients append to one file: nobody's bytes are lost, and nobody's come twice.

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kAppend = O_WRONLY | O_APPEND;

/// Another client's append.
void append_elsewhere(Mount& mount, std::string_view key, std::string_view line) {
  mount.memory.put_text(key, mount.memory.text(key).value_or("") + std::string(line));
}

class AppendsTest : public VfsTest {
 protected:
  /// A handle that has appended `text` and is not closed.
  HandleId appended(std::string_view name, std::string_view text) {
    const auto handle = mount.open(name, kAppend);
    EXPECT_OK(handle);
    EXPECT_OK(mount.write(*handle, 0, text));
    return *handle;
  }
  Mount mount;
};

TEST_F(AppendsTest, AnAppendGoesBehindThatOfAnotherClient) {
  mount.memory.put_text("log", "a\n", {.content_type = "text/x-log", .user_metadata = {{"colour", "blue"}}});
  const HandleId log = appended("log", "c\n");
  append_elsewhere(mount, "log", "b\n");
  EXPECT_OK(mount.close(log));
  EXPECT_EQ(mount.memory.text("log"), "a\nb\nc\n");
  EXPECT_EQ(*mount.read_file("log"), "a\nb\nc\n");
  EXPECT_EQ(mount.lookup("log")->attributes.size, 6u);
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(AppendsTest, ItIsTriedAgainWhileOthersAreFaster) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  int others = 3;
  mount.store.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "PutObject" && others > 0) {
      append_elsewhere(mount, "log", std::to_string(others--) + "\n");
    }
  });
  EXPECT_OK(mount.close(log));
  EXPECT_EQ(mount.memory.text("log"), "a\n3\n2\n1\nmine\n");
}

TEST_F(AppendsTest, AnAppendWhoseAnswerWasLostIsNotMadeTwice) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  // As after a lost answer: our write has arrived, another client has appended since, and the second try says that a condition has failed.
  mount.memory.put_text("log", "a\nmine\ntheirs\n");
  Error conflict{Errc::conflict, "the condition failed", {}};
  conflict.origin.sent_twice = true;
  mount.store.add({.operation = "PutObject", .count = 1, .error = conflict});
  EXPECT_OK(mount.close(log));
  EXPECT_EQ(mount.memory.text("log"), "a\nmine\ntheirs\n");
  EXPECT_EQ(*mount.read_file("log"), "a\nmine\ntheirs\n");
}

TEST_F(AppendsTest, AHandleThatStaysOpenGoesOnAppending) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "1\n");
  append_elsewhere(mount, "log", "b\n");
  EXPECT_OK(mount.fs().fsync(log, mount.caller()));
  EXPECT_OK(mount.write(log, 0, "2\n"));
  append_elsewhere(mount, "log", "c\n");
  EXPECT_OK(mount.fs().fsync(log, mount.caller()));
  EXPECT_OK(mount.write(log, 0, "3\n"));
  EXPECT_OK(mount.close(log));
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n1\nc\n2\n3\n");
  EXPECT_EQ(*mount.read_file("log"), "a\nb\n1\nc\n2\n3\n");
}

TEST_F(AppendsTest, TwoClientsCreateTheFileByAppending) {
  static_cast<void>(mount.names(kRoot));
  const auto log = mount.create(kRoot, "log", kAppend);
  ASSERT_OK(log);
  EXPECT_OK(mount.write(*log, 0, "mine\n"));
  mount.memory.put_text("log", "theirs\n");
  EXPECT_OK(mount.close(*log));
  EXPECT_EQ(mount.memory.text("log"), "theirs\nmine\n");
}

TEST_F(AppendsTest, AnAppendOfNothingLeavesWhatAnotherClientHasMade) {
  static_cast<void>(mount.names(kRoot));
  const auto log = mount.create(kRoot, "log", kAppend);
  ASSERT_OK(log);
  mount.memory.put_text("log", "theirs\n");
  EXPECT_OK(mount.close(*log));
  EXPECT_EQ(mount.memory.text("log"), "theirs\n");
  EXPECT_EQ(*mount.read_file("log"), "theirs\n");
}

TEST_F(AppendsTest, ANewFileThatNobodyHasWrittenLeavesWhatAnotherClientHasMade) {
  static_cast<void>(mount.names(kRoot));  // nothing has the name
  const auto handle = mount.create(kRoot, "file");
  ASSERT_OK(handle);
  mount.memory.put_text("file", "theirs");
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("file"), "theirs");
  EXPECT_EQ(*mount.read_file("file"), "theirs");
}

TEST_F(AppendsTest, OtherChangesAreNoAppends) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  const auto other = mount.open("log", O_WRONLY);
  ASSERT_OK(other);
  EXPECT_OK(mount.write(*other, 0, "X"));
  append_elsewhere(mount, "log", "b\n");
  EXPECT_ERRC(mount.close(log), Errc::stale);
  EXPECT_ERRC(mount.close(*other), Errc::stale);
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n");
  EXPECT_THAT(mount.kept(), ElementsAre("X\nmine\n"));
}

TEST_F(AppendsTest, AFileThatAnotherClientHasDeletedIsAConflict) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  ASSERT_OK(mount.memory.remove(Key("log"), ETag(), {}));
  EXPECT_ERRC(mount.close(log), Errc::stale);
  EXPECT_EQ(mount.memory.text("log"), std::nullopt);
  EXPECT_THAT(mount.kept(), ElementsAre("a\nmine\n"));
}

TEST_F(AppendsTest, WhatIsChangingAllTheTimeIsAConflictInTheEnd) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  mount.store.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "PutObject") {
      append_elsewhere(mount, "log", "b\n");
    }
  });
  EXPECT_ERRC(mount.close(log), Errc::stale);
  EXPECT_EQ(mount.memory.text("log")->find("mine"), std::string::npos);
  EXPECT_EQ(mount.kept().size(), 1u);
}

TEST_F(AppendsTest, AfterTheMergeOtherChangesGoOnFromTheMergedVersion) {
  mount.memory.put_text("log", "a\n");
  const HandleId log = appended("log", "mine\n");
  append_elsewhere(mount, "log", "b\n");
  EXPECT_OK(mount.close(log));
  EXPECT_OK(mount.change_file("log", O_RDWR, 0, "A"));
  EXPECT_EQ(mount.memory.text("log"), "A\nb\nmine\n");
}

TEST(LargeAppendsTest, TheRestOfALargeObjectIsCopiedWithinS3) {
  Mount mount(small_parts());
  mount.memory.set_part_bytes_min(16 << 10);
  const std::string before = pattern(600'000);
  const std::string theirs = pattern(200'000, 2);
  mount.memory.put_text("log", before);
  const auto log = mount.open("log", kAppend);
  ASSERT_OK(log);
  EXPECT_OK(mount.write(*log, 0, "mine\n"));
  append_elsewhere(mount, "log", theirs);
  mount.requests();
  EXPECT_OK(mount.close(*log));
  EXPECT_TRUE(mount.memory.text("log") == before + theirs + "mine\n");
  EXPECT_GT(mount.store.count("UploadPartCopy"), 0);
}

class OwedAppendsTest : public WriteBackTest {};

TEST_F(OwedAppendsTest, AppendsThatAreOwedGoBehindWhatOthersHaveAppendedMeanwhile) {
  mount.memory.put_text("log", "a\n");
  outage();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "1\n"));
  EXPECT_OK(mount.change_file("log", kAppend, 0, "2\n"));
  append_elsewhere(mount, "log", "b\n");
  EXPECT_EQ(*mount.read_file("log"), "a\n1\n2\n");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n1\n2\n");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("log"), "a\nb\n1\n2\n");
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(OwedAppendsTest, AlsoAfterARestart) {
  mount.memory.put_text("log", "a\n");
  outage();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "1\n"));
  append_elsewhere(mount, "log", "b\n");
  mount.restart();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "2\n"));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n1\n2\n");
}

TEST_F(OwedAppendsTest, WhatIsAppendedWhileAStateIsOnItsWayComesBehindIt) {
  mount.memory.put_text("log", "a\n");
  close_gate();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "1\n"));
  wait_for_gate();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "2\n"));
  const auto open = mount.open("log", kAppend);
  ASSERT_OK(open);
  EXPECT_OK(mount.write(*open, 0, "3\n"));
  append_elsewhere(mount, "log", "b\n");
  open_gate();
  delivered();
  EXPECT_OK(mount.close(*open));
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n1\n2\n3\n");
}

TEST_F(OwedAppendsTest, WhatIsCutWhileAStateIsBeingMergedIsNotMerged) {
  mount.memory.put_text("log", "a\n");
  EXPECT_EQ(*mount.read_file("log"), "a\n");
  outage();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "1\n"));
  append_elsewhere(mount, "log", "b\n");
  close_gate("HeadObject");  // which version stands there now
  answers();
  wait_for_gate();
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_TRUNC, 0, "new"));
  open_gate();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "new");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("log"), "new");
  EXPECT_THAT(mount.kept(), ElementsAre("a\n1\n"));
}

TEST_F(OwedAppendsTest, AMergeWhoseAnswerWasLostBeforeTheCrashIsDoneOnce) {
  mount.memory.put_text("log", "a\n");
  outage();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "mine\n"));
  append_elsewhere(mount, "log", "b\n");
  mount.store.clear_faults();
  mount.store.add({.operation = "PutObject", .count = 1, .error = {Errc::conflict, "the condition fails", {}}});
  mount.store.add({.operation = "PutObject", .count = -1, .after_the_work = true});
  mount.restart();
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (mount.memory.text("log") != "a\nb\nmine\n" && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  mount.restart();
  append_elsewhere(mount, "log", "c\n");
  mount.restart();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "a\nb\nmine\nc\n");
  EXPECT_THAT(mount.kept(), IsEmpty());
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("log"), "a\nb\nmine\nc\n");
}

TEST_F(OwedAppendsTest, AFileThatWasMadeByAppendingReplacesWhatItIsRenamedOver) {
  outage_is_known();
  const auto made = mount.create(kRoot, "log.tmp", kAppend);
  ASSERT_OK(made);
  EXPECT_OK(mount.write(*made, 0, "mine"));
  EXPECT_OK(mount.close(*made));
  EXPECT_OK(mount.fs().rename(kRoot, "log.tmp", kRoot, "log", 0, mount.caller()));
  mount.memory.put_text("log", "theirs");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "mine");
}

TEST_F(OwedAppendsTest, AnAppendBeforeAnotherChangeIsAConflict) {
  mount.memory.put_text("log", "a\n");
  outage();
  EXPECT_OK(mount.change_file("log", kAppend, 0, "1\n"));
  EXPECT_OK(mount.change_file("log", O_RDWR, 0, "X"));
  append_elsewhere(mount, "log", "b\n");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("log"), "a\nb\n");
  EXPECT_THAT(mount.kept(), ::testing::Contains("X\n1\n"));
}

}  // namespace
}  // namespace prefixfs::vfs
