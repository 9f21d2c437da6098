// Removals that are owed: the name is absent at once, what was never stored is not uploaded, and what others make meanwhile stays.

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

class OwedRemovalsTest : public WriteBackTest {
 protected:
  /// A file of which this mount has seen a version.
  void remove_in_an_outage(const std::string& name) {
    mount.memory.put_text(name, "old");
    EXPECT_EQ(*mount.read_file(name), "old");
    outage();
    EXPECT_OK(mount.fs().unlink(kRoot, name, mount.caller()));
  }
};

TEST_F(OwedRemovalsTest, AFileDeletedBeforeItsUploadIsNeverUploaded) {
  outage_is_known();
  const std::size_t staged_before = mount.staged_files();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  mount.requests();
  answers();
  delivered();
  EXPECT_THAT(mount.requests(), ::testing::ElementsAre("PutObject first"));
  EXPECT_EQ(mount.staged_files(), staged_before);
}

TEST_F(OwedRemovalsTest, ARemovalIsAcknowledgedAndTheNameStaysAbsent) {
  mount.memory.put_text("a", "text");
  EXPECT_EQ(*mount.read_file("a"), "text");
  outage();
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_TRUE(mount.names(kRoot)->empty());
  mount.restart();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(mount.memory.text("a"), "text");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), std::nullopt);
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(OwedRemovalsTest, ANameIsMadeAgainBeforeItsRemovalIsDelivered) {
  remove_in_an_outage("a");
  EXPECT_OK(mount.create_file(kRoot, "a", "new"));
  mount.restart();
  EXPECT_EQ(*mount.read_file("a"), "new");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "new");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "new");
}

TEST_F(OwedRemovalsTest, ANewerVersionOfAnotherClientIsNotRemovedByAnOlderIntent) {
  remove_in_an_outage("a");
  mount.memory.put_text("a", "newer");
  mount.clock.advance(1min);
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "newer");
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("a"), "newer");
}

TEST_F(OwedRemovalsTest, ANewerVersionOfAnotherClientStaysAlsoWhenItComesAMomentLater) {
  remove_in_an_outage("a");
  mount.clock.advance(3s);
  mount.memory.put_text("a", "newer");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "newer");
}

TEST_F(OwedRemovalsTest, ANewerVersionOfAnotherMountStaysHoweverSoonItComes) {
  remove_in_an_outage("a");
  mount.clock.advance(1ms);
  const auto now = mount.clock.now().time_since_epoch().count();
  mount.memory.put_text("a", "newer", {.user_metadata = {{"file-mtime", std::to_string(now) + "ns"}}});
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "newer");
}

TEST_F(OwedRemovalsTest, AVersionThatWasOnItsWayGoesWithItsName) {
  remove_in_an_outage("a");
  mount.memory.put_text("a", "arrives late");
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ::testing::IsEmpty());
}

TEST_F(OwedRemovalsTest, AnUnseenVersionFromBeforeTheRemovalGoesToo) {
  mount.memory.put_text("a", "old");
  EXPECT_EQ(*mount.read_file("a"), "old");
  mount.memory.put_text("a", "unseen");
  mount.clock.advance(10s);
  outage();
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  mount.clock.advance(1min);
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ::testing::IsEmpty());
}

TEST_F(OwedRemovalsTest, AnUnlinkGivesUpTheUploadThatIsOnItsWay) {
  close_gate();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  wait_for_gate();
  std::jthread opener([this] { open_gate(); });
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  delivered();
  EXPECT_EQ(mount.memory.text("a"), std::nullopt);
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(OwedRemovalsTest, ADirectoryThatIsRemovedBeforeItsMarkerIsMadeIsNeverMade) {
  outage_is_known();
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ::testing::ElementsAre("first"));
}

TEST_F(OwedRemovalsTest, ADirectoryIsRemovedWhileItsMarkerIsOnItsWay) {
  close_gate();
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  wait_for_gate();
  bool asked = false;
  mount.store.after_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "ListObjectsV2" && !asked) {
      asked = true;
      open_gate();  // S3 has said that there is nothing, and gets the marker now
    }
  });
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(OwedRemovalsTest, ATreeIsRemovedWhileItsRemovalsAreOnTheirWay) {
  for (const char* key : {"dir/", "dir/a", "dir/b"}) {
    mount.memory.put_text(key, "");
  }
  const InodeId dir = mount.id("dir");
  ASSERT_OK(mount.names(dir));
  EXPECT_OK(mount.fs().unlink(dir, "a", mount.caller()));
  EXPECT_OK(mount.fs().unlink(dir, "b", mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
  EXPECT_ERRC(mount.lookup("dir"), Errc::not_found);
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

}  // namespace
}  // namespace prefixfs::vfs
