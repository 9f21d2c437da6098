// rename of a directory.

#include <linux/fs.h>

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class DirectoryRenameTest : public WriteBackTest {
 protected:
  explicit DirectoryRenameTest(const MountSettings& given = {}) : WriteBackTest(given) {}
  Result<void> rename(std::string_view from, std::string_view to, unsigned flags = 0) {
    return mount.fs().rename(kRoot, from, kRoot, to, flags, mount.caller());
  }
  void put_tree() {
    mount.memory.put_text("a/", "");
    mount.memory.put_text("a/one", "1");
    mount.memory.put_text("a/sub/two", "22");
  }
};

class JournalledDirectoryRenameTest : public DirectoryRenameTest {
 protected:
  JournalledDirectoryRenameTest() : DirectoryRenameTest(journalled()) {}
};

TEST_F(DirectoryRenameTest, AllThatIsBelowGetsTheNewName) {
  put_tree();
  const InodeId directory = mount.id("a");
  const InodeId file = mount.id("a/sub/two");
  ASSERT_OK(rename("a", "b"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/one", "b/sub/two"));
  EXPECT_EQ(mount.id("b"), directory);
  EXPECT_EQ(mount.id("b/sub/two"), file);
  EXPECT_EQ(*mount.read_file("b/one"), "1");
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(*mount.read_file("b/sub/two"), "22");
  EXPECT_THAT(mount.fs().owed(), IsEmpty());
}

TEST_F(DirectoryRenameTest, ItIsOneListOneCopyForEachObjectAndOneRemoval) {
  put_tree();
  static_cast<void>(mount.names(kRoot));
  static_cast<void>(mount.id("a"));
  mount.requests();
  ASSERT_OK(rename("a", "b"));
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("ListObjectsV2 a/", "CopyObject b/", "CopyObject b/one", "CopyObject b/sub/two", "DeleteObjects a/"));
}

TEST_F(DirectoryRenameTest, AnEmptyDirectoryIsReplacedAndAFullOneIsNot) {
  put_tree();
  mount.memory.put_text("empty/", "");
  mount.memory.put_text("full/x", "x");
  mount.memory.put_text("file", "x");
  EXPECT_ERRC(rename("a", "full"), Errc::not_empty);
  EXPECT_ERRC(rename("a", "file"), Errc::not_dir);
  EXPECT_ERRC(rename("file", "a"), Errc::is_dir);
  EXPECT_ERRC(rename("a", "empty", RENAME_NOREPLACE), Errc::exists);
  ASSERT_OK(rename("a", "empty"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("empty/", "empty/one", "empty/sub/two", "file", "full/x"));
}

TEST_F(DirectoryRenameTest, NotIntoItself) {
  put_tree();
  const InodeId below = mount.id("a/sub");
  EXPECT_ERRC(mount.fs().rename(kRoot, "a", below, "x", 0, mount.caller()), Errc::invalid);
}

TEST_F(DirectoryRenameTest, IntoAnotherDirectory) {
  put_tree();
  mount.memory.put_text("to/", "");
  const InodeId to = mount.id("to");
  ASSERT_OK(mount.fs().rename(kRoot, "a", to, "inner", 0, mount.caller()));
  EXPECT_EQ(*mount.read_file("to/inner/sub/two"), "22");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("to/", "to/inner/", "to/inner/one", "to/inner/sub/two"));
}

TEST_F(DirectoryRenameTest, AFileThatIsBeingWrittenIsStoredUnderTheNewName) {
  put_tree();
  const auto handle = mount.create(mount.id("a"), "new");
  ASSERT_TRUE(handle);
  ASSERT_OK(mount.write(*handle, 0, "text"));
  const auto changed = mount.open("a/one", O_WRONLY);
  ASSERT_TRUE(changed);
  ASSERT_OK(mount.write(*changed, 0, "!"));
  ASSERT_OK(rename("a", "b"));
  ASSERT_OK(mount.close(*handle));
  ASSERT_OK(mount.close(*changed));
  EXPECT_EQ(mount.memory.text("b/new"), "text");
  EXPECT_EQ(mount.memory.text("b/one"), "!");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/new", "b/one", "b/sub/two"));
}

TEST_F(DirectoryRenameTest, ReadersGoOn) {
  put_tree();
  mount.memory.put_text("a/large", pattern(1 << 20));
  const auto handle = mount.open("a/large", O_RDONLY);
  ASSERT_TRUE(handle);
  ASSERT_OK(rename("a", "b"));
  EXPECT_EQ(*mount.read(*handle), pattern(1 << 20));
}

TEST_F(DirectoryRenameTest, AttributesThatAreKnownStayKnown) {
  put_tree();
  ASSERT_OK(mount.fs().setattr(mount.id("a/one"), {}, {.mode = 0600}, mount.caller()));
  ASSERT_OK(rename("a", "b"));
  mount.window_ends();
  static_cast<void>(mount.names(mount.id("b")));
  mount.requests();
  EXPECT_EQ(mount.lookup("b/one")->attributes.posix.mode, 0600u);
  EXPECT_THAT(mount.requests(), IsEmpty());
}

TEST_F(DirectoryRenameTest, WhatIsRefusedIsUndone) {
  put_tree();
  mount.store.add({.operation = "CopyObject", .key = "b/sub/two", .count = -1, .error = {Errc::denied, "no", {}}});
  EXPECT_ERRC(rename("a", "b"), Errc::denied);
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a/", "a/one", "a/sub/two"));
  EXPECT_EQ(*mount.read_file("a/one"), "1");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  EXPECT_THAT(mount.fs().owed(), IsEmpty());
  mount.store.clear_faults();
  ASSERT_OK(rename("a", "b"));
}

TEST_F(DirectoryRenameTest, InAnOutageItFailsAndIsTakenBackWhenS3Answers) {
  put_tree();
  static_cast<void>(mount.id("a"));
  mount.store.add({.operation = "CopyObject", .key = "b/sub/two", .count = -1});
  mount.store.add({.operation = "DeleteObjects", .key = "", .count = -1});
  EXPECT_ERRC(rename("a", "b"), Errc::unavailable);
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_EQ(*mount.read_file("a/one"), "1");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  EXPECT_ERRC(mount.fs().mkdir(kRoot, "b", 0755, mount.caller()), Errc::unavailable);
  ASSERT_OK(mount.create_file(mount.id("a"), "new", "text"));
  mount.restart();
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a/", "a/new", "a/one", "a/sub/two"));
}

TEST_F(DirectoryRenameTest, OnceAllIsCopiedAnOutageDoesNotUndoIt) {
  put_tree();
  static_cast<void>(mount.id("a"));
  mount.store.add({.operation = "DeleteObjects", .key = "", .count = -1});
  EXPECT_OK(rename("a", "b"));
  EXPECT_EQ(*mount.read_file("b/one"), "1");
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  ASSERT_OK(mount.create_file(mount.id("b"), "new", "text"));
  ASSERT_OK(mount.fs().unlink(mount.id("b"), "one", mount.caller()));
  mount.restart_without_cache();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  answers();
  delivered();
  // What was unlinked at the new name has no copy there any more; its old object stays rather than be guessed away.
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a/one", "b/", "b/new", "b/sub/two"));
}

TEST_F(DirectoryRenameTest, WhatBecomesOfTheCopiesMeanwhileDoesNotKeepTheOldOnes) {
  put_tree();
  static_cast<void>(mount.id("a"));
  mount.store.add({.operation = "DeleteObjects", .key = "", .count = -1});
  EXPECT_OK(rename("a", "b"));
  ASSERT_OK(mount.change_file("b/one", O_WRONLY | O_TRUNC, 0, "new"));
  ASSERT_OK(mount.fs().unlink(mount.id("b/sub"), "two", mount.caller()));
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/one"));
  EXPECT_EQ(mount.memory.text("b/one"), "new");
}

TEST_F(DirectoryRenameTest, ACrashAmongTheCopiesIsGoneOnWith) {
  put_tree();
  const InodeId directory = mount.id("a");
  std::atomic<bool> remembered = false;
  mount.store.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "CopyObject" && !remembered.exchange(true)) {
      mount.remember_state();
    }
  });
  static_cast<void>(rename("a", "b"));
  mount.store.before_each({});
  mount.memory.erase("b/sub/two");
  mount.memory.put_text("a/", "");
  mount.memory.put_text("a/one", "1");
  mount.memory.put_text("a/sub/two", "22");
  mount.die_there();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/one", "b/sub/two"));
  EXPECT_EQ(mount.id("b"), directory);
  EXPECT_EQ(*mount.read_file("b/sub/two"), "22");
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(DirectoryRenameTest, AChangeBelowWaitsForIt) {
  put_tree();
  const InodeId directory = mount.id("a");
  close_gate("CopyObject");
  std::jthread renames([&] { EXPECT_OK(rename("a", "b")); });
  wait_for_gate();
  std::atomic<bool> made = false;
  std::jthread makes([&] {
    EXPECT_OK(mount.create_file(directory, "new", "text"));
    made = true;
  });
  EXPECT_EQ(*mount.read_file("a/one"), "1") << "whoever reads does not wait";
  EXPECT_FALSE(made);
  open_gate();
  makes.join();
  renames.join();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/new", "b/one", "b/sub/two"));
}

TEST_F(DirectoryRenameTest, WithoutTheRightToListItIsLeftToMv) {
  put_tree();
  static_cast<void>(mount.id("a"));
  mount.memory.set_rights({.list = false});
  mount.window_ends();
  EXPECT_ERRC(mount.names(kRoot), Errc::denied);
  EXPECT_ERRC(rename("a", "b"), Errc::cross_device);
}

TEST_F(DirectoryRenameTest, AKeyThatWouldBeTooLongIsToldBeforeAnythingIsCopied) {
  const std::string deep = "a/" + std::string(250, 'x') + "/" + std::string(250, 'y') + "/" + std::string(250, 'z') + "/" + std::string(200, 'f');
  mount.memory.put_text(deep, "x");
  EXPECT_ERRC(rename("a", std::string(200, 'b')), Errc::name_too_long);
  EXPECT_THAT(mount.memory.keys(), ElementsAre(deep));
}

TEST_F(JournalledDirectoryRenameTest, WhatIsOwedBelowGoesFirst) {
  put_tree();
  mount.clock.hold_naps(false);
  const InodeId directory = mount.id("a");
  ASSERT_OK(mount.create_file(directory, ".new.tmp", "text"));
  ASSERT_OK(mount.fs().unlink(directory, "one", mount.caller()));
  ASSERT_OK(mount.fs().mkdir(directory, "made", 0755, mount.caller()));
  ASSERT_OK(rename("a", "b"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b/", "b/.new.tmp", "b/made/", "b/sub/two"));
}

}  // namespace
}  // namespace prefixfs::vfs
