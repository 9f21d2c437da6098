// Objects of an archive's storage class: S3 tells of them and deletes them, but does not give their bytes.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ArchivedTest : public VfsTest {
 protected:
  ArchivedTest() {
    s3::ObjectHeaders headers;
    headers.user_metadata["file-permissions"] = "0100600";
    mount.memory.put_text("a", "archived", headers);
    mount.memory.archive("a");
  }
  Mount mount;
};

TEST_F(ArchivedTest, StatIsOneHead) {
  ASSERT_OK(mount.names(kRoot));
  mount.clock.advance(1min);
  mount.requests();
  const auto entry = mount.lookup("a");
  ASSERT_OK(entry);
  EXPECT_EQ(entry->attributes.size, 8u);
  EXPECT_EQ(entry->attributes.posix.mode, 0600u);
  EXPECT_THAT(mount.requests(), ElementsAre("HeadObject a"));
}

TEST_F(ArchivedTest, AnObjectThatIsArchivedLaterIsStillSeen) {
  mount.memory.put_text("c", "there");
  ASSERT_OK(mount.lookup("c"));
  mount.memory.archive("c");
  mount.restart();  // and with it what is local of them
  mount.window_ends();
  mount.requests();
  EXPECT_EQ(mount.lookup("c")->attributes.size, 5u);
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject c", "HeadObject c"));
  mount.window_ends();
  EXPECT_OK(mount.lookup("c"));
  EXPECT_THAT(mount.requests(), ElementsAre("HeadObject c")) << "its storage class is known now";
}

TEST_F(ArchivedTest, ItIsSeenWhereListingIsNotAllowed) {
  mount.memory.set_rights({.list = false});
  EXPECT_EQ(mount.lookup("a")->attributes.size, 8u);
}

TEST_F(ArchivedTest, OnlyItsBytesCannotBeHad) {
  EXPECT_ERRC(mount.open("a", O_RDONLY), Errc::unsupported);
  EXPECT_OK(mount.lookup("a"));
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("a"));
}

TEST_F(ArchivedTest, ItIsDeleted) {
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(ArchivedTest, ItIsDeletedWhileItIsOpenForWriting) {
  mount.memory.put_text("large", std::string(1 << 20, 'x'));
  mount.memory.archive("large");
  const auto handle = mount.open("large", O_WRONLY);
  ASSERT_OK(handle);
  EXPECT_OK(mount.fs().unlink(kRoot, "large", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(ArchivedTest, ItIsReplaced) {
  ASSERT_OK(mount.create_file(kRoot, "new", "new"));
  ASSERT_OK(mount.fs().rename(kRoot, "new", kRoot, "a", 0, mount.caller()));
  EXPECT_EQ(mount.read_file("a").value_or("?"), "new");
  mount.memory.archive("a");
  mount.window_ends();
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "newer"));
  EXPECT_EQ(mount.read_file("a").value_or("?"), "newer");
}

TEST_F(ArchivedTest, ItsRenameIsRefusedAsS3RefusesTheCopy) {
  const auto renamed = mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller());
  EXPECT_ERRC(renamed, Errc::unsupported);
  EXPECT_EQ(renamed.error().origin.s3_code, "InvalidObjectState");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a"));
}

TEST_F(ArchivedTest, ItIsRestoredWhenAnAdministratorAsks) {
  using s3::RestoreState;
  EXPECT_EQ(mount.fs().restore("a", {}, {})->state, RestoreState::started);
  EXPECT_EQ(mount.fs().restore("a", {}, {})->state, RestoreState::in_progress);
  EXPECT_ERRC(mount.open("a", O_RDONLY), Errc::unsupported);
  mount.memory.finish_restore("a");
  EXPECT_EQ(mount.read_file("a").value_or("?"), "archived");
  const auto longer = mount.fs().restore("a", {.days = 20}, {});
  ASSERT_OK(longer);
  EXPECT_EQ(longer->state, RestoreState::restored);
  ASSERT_TRUE(longer->until);
  EXPECT_GT(*longer->until, mount.clock.now() + std::chrono::days(19));
}

TEST_F(ArchivedTest, OfIntelligentTieringTheObjectItselfComesBack) {
  mount.memory.put_text("dir/b", "cold");
  mount.memory.archive("dir/b", "INTELLIGENT_TIERING");
  EXPECT_ERRC(mount.open("dir/b", O_RDONLY), Errc::unsupported);
  EXPECT_EQ(mount.fs().restore("dir/b", {}, {})->state, s3::RestoreState::started);
  mount.memory.finish_restore("dir/b");
  EXPECT_EQ(mount.read_file("dir/b").value_or("?"), "cold");
  EXPECT_EQ(mount.fs().restore("dir/b", {}, {})->state, s3::RestoreState::not_archived);
}

TEST_F(ArchivedTest, WhatIsNoArchivedFileIsNotRestored) {
  mount.memory.put_text("dir/new", "there");
  EXPECT_EQ(mount.fs().restore("dir/new", {}, {})->state, s3::RestoreState::not_archived);
  EXPECT_ERRC(mount.fs().restore("dir", {}, {}), Errc::is_dir);
  EXPECT_ERRC(mount.fs().restore("dir/none", {}, {}), Errc::not_found);
}

TEST_F(ArchivedTest, ARestoreFindsTheKeyOfAShownName) {
  mount.memory.put_text("odd//b", "cold");
  mount.memory.archive("odd//b");
  EXPECT_EQ(mount.fs().restore("odd/@s3-empty/b", {}, {})->state, s3::RestoreState::started);
  EXPECT_EQ(mount.memory.info("odd//b")->restore, "ongoing-request=\"true\"");
}

TEST_F(ArchivedTest, ItsAbsenceIsSeen) {
  ASSERT_OK(mount.lookup("a"));
  mount.memory.erase("a");
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

}  // namespace
}  // namespace prefixfs::vfs
