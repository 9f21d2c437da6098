// commit=journal: renames of stored files, and changes of their attributes.

#include "owed_moves_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(OwedMovesTest, ARenameReturnsBeforeS3IsAsked) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(*mount.read_file("b"), "text");
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("b"));
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_EQ(mount.fs().owed()[0].kind, meta::IntentKind::move);
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("b"), "text");
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(OwedMovesTest, ARenameIsOneCopyAndOneDelete) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  mount.requests();
  EXPECT_OK(rename("a", "b"));
  delivered();
  EXPECT_THAT(mount.requests(), ElementsAre("CopyObject b", "DeleteObject a"));
}

TEST_F(OwedMovesTest, ARestartDeliversIt) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  mount.restart();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(*mount.read_file("b"), "text");
  mount.restart_without_cache();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(*mount.read_file("b"), "text");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  mount.restart();
  EXPECT_TRUE(mount.fs().owed().empty());
}

TEST_F(OwedMovesTest, SeveralRenamesAreOne) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage_is_known();
  EXPECT_OK(rename("a", "b"));
  EXPECT_OK(rename("b", "c"));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  mount.requests();
  answers();
  delivered();
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("PutObject first", "CopyObject c", "DeleteObject a"));
  EXPECT_EQ(mount.memory.text("c"), "text");
}

TEST_F(OwedMovesTest, ThereAndBackIsNothing) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage_is_known();
  EXPECT_OK(rename("a", "b"));
  EXPECT_OK(rename("b", "a"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "text");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  mount.requests();
  answers();
  delivered();
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject first"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a", "first"));
}

TEST_F(OwedMovesTest, ARenameThatMayHaveBeenDoneIsFollowedByTheNextOne) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  mount.restart();
  EXPECT_OK(rename("b", "c"));
  EXPECT_OK(unlink("c"));
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(OwedMovesTest, ARenamedFileIsUnlinkedWithoutACopy) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage_is_known();
  EXPECT_OK(rename("a", "b"));
  EXPECT_OK(unlink("b"));
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  mount.requests();
  answers();
  delivered();
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("PutObject first", "DeleteObject a"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("first"));
}

TEST_F(OwedMovesTest, ARenameReplacesAStoredFile) {
  mount.memory.put_text("a", "new");
  mount.memory.put_text("b", "old");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("b"), "new");
  EXPECT_OK(unlink("b"));
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(OwedMovesTest, ARenameOverARenamedFileLeavesOneOfThem) {
  mount.memory.put_text("a", "from a");
  mount.memory.put_text("x", "from x");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("x", "b"));
  EXPECT_OK(rename("a", "b"));
  mount.window_ends();
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("b"));
  mount.restart();
  EXPECT_EQ(*mount.read_file("b"), "from a");
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("b"));
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(mount.memory.text("b"), "from a");
}

TEST_F(OwedMovesTest, TheOldNameIsMadeAnew) {
  mount.memory.put_text("a", "old");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "a~"));
  EXPECT_OK(mount.create_file(kRoot, "a", "new"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "new");
  EXPECT_EQ(*mount.read_file("a~"), "old");
  mount.restart();
  EXPECT_EQ(*mount.read_file("a"), "new");
  EXPECT_EQ(*mount.read_file("a~"), "old");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_EQ(mount.memory.text("a~"), "old");
}

TEST_F(OwedMovesTest, ARenamedFileIsChangedUnderItsNewName) {
  mount.memory.put_text("a", "one");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  EXPECT_OK(mount.change_file("b", O_WRONLY | O_APPEND, 0, " two"));
  EXPECT_EQ(*mount.read_file("b"), "one two");
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  mount.restart();
  EXPECT_EQ(*mount.read_file("b"), "one two");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(mount.memory.text("b"), "one two");
}

TEST_F(OwedMovesTest, AChangedFileIsStoredAndThenRenamed) {
  mount.memory.put_text("a", "one");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, " two"));
  EXPECT_OK(rename("a", "b"));
  EXPECT_EQ(*mount.read_file("b"), "one two");
  EXPECT_OK(mount.change_file("b", O_WRONLY | O_APPEND, 0, " three"));
  mount.restart();
  EXPECT_EQ(*mount.read_file("b"), "one two three");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(mount.memory.text("b"), "one two three");
}

TEST_F(OwedMovesTest, AReaderGoesOnThroughTheRename) {
  const std::string text = pattern(300 << 10);
  mount.memory.put_text("a", text);
  static_cast<void>(mount.names(kRoot));
  const auto reader = mount.open("a", O_RDONLY);
  ASSERT_OK(reader);
  EXPECT_EQ(*mount.read(*reader, 0, 10), text.substr(0, 10));
  outage();
  EXPECT_OK(rename("a", "b"));
  EXPECT_EQ(*mount.read(*reader, 200 << 10, 10), text.substr(200 << 10, 10));
  answers();
  delivered();
  EXPECT_EQ(*mount.read(*reader, 290 << 10, 10), text.substr(290 << 10, 10));
  EXPECT_OK(mount.close(*reader));
}

TEST_F(OwedMovesTest, AttributesAreAcknowledgedAndSeveralChangesAreOneCopy) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage_is_known();
  EXPECT_OK(set("a", {.mode = 0600}));
  EXPECT_OK(set("a", {.uid = 7, .gid = 8}));
  EXPECT_OK(set("a", {.mtime_ns = 1'000'000'000, .atime_ns = 1'000'000'000}));
  EXPECT_OK(rename("a", "b"));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  const auto entry = mount.lookup("b");
  EXPECT_EQ(entry->attributes.posix, (PosixAttributes{.mode = 0600, .uid = 7, .gid = 8, .mtime_ns = 1'000'000'000}));
  mount.requests();
  answers();
  delivered();
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("PutObject first", "HeadObject a", "CopyObject b", "DeleteObject a"));
  EXPECT_EQ(permissions_of("b"), "0100600");
  EXPECT_EQ(mount.memory.info("b")->user_metadata.at("file-owner"), "7");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("b")->attributes.posix.mode, 0600u);
}

TEST_F(OwedMovesTest, AttributesThatAreNotChangedStayTheObjectsOwn) {
  mount.memory.put_text("a", "text");
  EXPECT_OK(set("a", {.mode = 0640, .uid = 7}));
  delivered();
  mount.restart_without_cache();
  static_cast<void>(mount.names(kRoot));  // a listing does not tell them
  EXPECT_OK(mount.fs().setattr(mount.nodes().find(kRoot, "a")->value().id, {}, {.gid = 9}, mount.caller()));
  delivered();
  EXPECT_EQ(permissions_of("a"), "0100640");
  EXPECT_EQ(mount.memory.info("a")->user_metadata.at("file-owner"), "7");
  EXPECT_EQ(mount.memory.info("a")->user_metadata.at("file-group"), "9");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("a")->attributes.posix.uid, 7u);
}

TEST_F(OwedMovesTest, ALateRenameReplacesNoNewerVersion) {
  mount.memory.put_text("a", "mine");
  mount.memory.put_text("b", "old");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  another_client_writes("b", "newer");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "mine");
  EXPECT_EQ(mount.memory.text("b"), "newer");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "mine");
  EXPECT_EQ(*mount.read_file("b"), "newer");
}

TEST_F(OwedMovesTest, ARenameOfAVersionThatIsGoneLeavesTheNewerOne) {
  mount.memory.put_text("a", "mine");
  static_cast<void>(mount.names(kRoot));
  EXPECT_EQ(*mount.read_file("a"), "mine");
  outage();
  EXPECT_OK(rename("a", "b"));
  EXPECT_EQ(*mount.read_file("b"), "mine");
  another_client_writes("a", "newer");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "newer");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
}

TEST_F(OwedMovesTest, WhatWasWrittenAfterARenameThatIsUndoneIsKeptOnce) {
  mount.memory.put_text("a", "mine");
  static_cast<void>(mount.names(kRoot));
  EXPECT_EQ(*mount.read_file("a"), "mine");
  outage();
  EXPECT_OK(rename("a", "b"));
  mount.restart();  // from now on it may have been tried
  EXPECT_OK(rename("b", "c"));
  EXPECT_OK(mount.change_file("c", O_WRONLY, 0, "text"));
  another_client_writes("a", "newer");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
  EXPECT_THAT(mount.kept(), ElementsAre("text"));
  EXPECT_THAT(mount.kept_names(), ElementsAre(testing::EndsWith("-c")));
}

TEST_F(OwedMovesTest, ARenameWhoseAnswersWereLostIsDoneOnce) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  mount.store.add({.operation = "CopyObject", .after_the_work = true});
  mount.store.add({.operation = "DeleteObject", .after_the_work = true});
  EXPECT_OK(rename("a", "b"));
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(*mount.read_file("b"), "text");
}

TEST_F(OwedMovesTest, ARenameThatWasDoneBeforeTheCrashIsNoConflict) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  ASSERT_OK(mount.memory.remove(Key("a"), ETag(), {}));
  mount.memory.put_text("b", "text");
  mount.restart();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("b"), "text");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("b"), "text");
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(OwedMovesTest, ARenameThatWasDoneBeforeTheCrashIsReadBeforeItsDeliveryHasFoundThat) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  ASSERT_OK(mount.memory.remove(Key("a"), ETag(), {}));
  mount.memory.put_text("b", "text");
  mount.restart();
  close_gate("CopyObject");
  mount.store.after_each([this](const test::FaultyStore::Call& call) {
    if (call.operation == "GetObject" && call.key == "a") {
      open_gate();
    }
  });
  answers();
  EXPECT_EQ(*mount.read_file("b"), "text");
  delivered();
}

TEST_F(OwedMovesTest, ANewFileUnderTheOldNameIsThereWhenTheMoveIsDelivered) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(rename("a", "b"));
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "new"));
  answers();
  delivered();
  EXPECT_OK(mount.lookup("a"));
  EXPECT_THAT(*mount.names(kRoot), ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_OK(mount.close(*handle));
  delivered();
  EXPECT_OK(mount.lookup("a"));
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "new");
  EXPECT_EQ(*mount.read_file("b"), "text");
}

/// A new file is in S3 while moves are owed still.
class OwedMovesAndStoredFilesTest : public OwedMovesTest {
 protected:
  static MountSettings settings() {
    MountSettings given = journalled();
    given.settings.exclusive_at_open = true;
    return given;
  }
  OwedMovesAndStoredFilesTest() : OwedMovesTest(settings()) {}
};

TEST_F(OwedMovesAndStoredFilesTest, AFileThatWasMadeUnderTheOldNameSinceIsThere) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  close_gate("CopyObject");
  answers();
  EXPECT_OK(rename("a", "b"));
  wait_for_gate();
  // As after a process that was killed when it had renamed the file: only its record is left.
  ASSERT_OK(mount.memory.remove(Key("a"), ETag(), {}));
  mount.memory.put_text("b", "text");
  const auto handle = mount.create(kRoot, "a", O_WRONLY | O_CREAT | O_EXCL);
  ASSERT_OK(handle);
  ASSERT_EQ(mount.memory.text("a"), "");
  ASSERT_OK(mount.close(*handle));
  mount.window_ends();
  EXPECT_OK(mount.lookup("a")) << "S3 was asked";
  mount.window_ends();
  EXPECT_THAT(*mount.names(kRoot), UnorderedElementsAre("a", "b"));
  EXPECT_OK(mount.lookup("a")) << "it was listed";
  open_gate();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "");
}

TEST_F(OwedMovesTest, ARefusedRenameIsParkedAndCanBeGivenUp) {
  mount.memory.put_text("a", "text");
  static_cast<void>(mount.names(kRoot));
  mount.store.add({.operation = "CopyObject", .count = -1, .error = {Errc::denied, "AccessDenied", {}}});
  EXPECT_OK(rename("a", "b"));
  EXPECT_ERRC(mount.fs().drain(false, {}), Errc::denied);
  mount.restart();
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_TRUE(mount.fs().owed()[0].parked);
  EXPECT_OK(mount.fs().discard(mount.fs().owed()[0].id, {}));
  EXPECT_TRUE(mount.fs().owed().empty());
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "text");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
}

TEST_F(OwedMovesTest, TheModeOfADirectoryIsAcknowledgedAndItsMarkerKeepsWhatElseItSays) {
  mount.memory.put_text("dir/", "", {.user_metadata = {{"colour", "blue"}}});
  static_cast<void>(mount.id("dir"));
  outage_is_known();
  EXPECT_OK(set("dir", {.mode = 0700}));
  EXPECT_OK(set("dir", {.mode = 0750}));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  mount.restart();
  EXPECT_EQ(mount.lookup("dir")->attributes.posix.mode, 0750u);
  answers();
  delivered();
  EXPECT_EQ(permissions_of("dir/"), "0040750");
  EXPECT_EQ(mount.memory.info("dir/")->user_metadata.at("colour"), "blue");
}

TEST_F(OwedMovesTest, ADirectoryWhoseModeIsOwedIsRemovedWithItsMarker) {
  mount.memory.put_text("dir/", "");
  static_cast<void>(mount.id("dir"));
  EXPECT_OK(set("dir", {.mode = 0700}));
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  delivered();
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("dir"), Errc::not_found);
}

TEST_F(OwedMovesTest, ADirectoryIsEmptyWhenItsLastFileWasMovedAway) {
  mount.memory.put_text("dir/", "");
  mount.memory.put_text("dir/a", "text");
  const InodeId dir = mount.id("dir");
  static_cast<void>(mount.names(dir));
  EXPECT_OK(mount.fs().rename(dir, "a", kRoot, "a", 0, mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
}

}  // namespace
}  // namespace prefixfs::vfs
