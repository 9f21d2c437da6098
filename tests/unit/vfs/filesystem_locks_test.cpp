// What a lock between hosts means for the bytes. Who gets it is tested in tests/unit/locks.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Wait = locks::Locks::Wait;

constexpr locks::Owner kOwner{.kind = locks::Kind::posix, .number = 1};
constexpr locks::Lock kExclusive{.owner = kOwner, .mode = locks::Mode::exclusive};
constexpr locks::Lock kShared{.owner = kOwner, .mode = locks::Mode::shared};

MountSettings with_locks() {
  MountSettings given = small_parts();
  given.locks = true;
  return given;
}

class LockedFilesTest : public VfsTest {
 protected:
  LockedFilesTest() { EXPECT_TRUE(mount.fs().shares_locks()); }

  Result<void> lock(HandleId handle, const locks::Lock& wanted = kExclusive) {
    mount.clock.advance(1ms);
    return mount.fs().lock(handle, wanted, Wait::no, mount.caller());
  }
  Result<void> unlock(HandleId handle) { return mount.fs().unlock(handle, kOwner, locks::kEverything, mount.caller()); }
  std::vector<std::string> lease_objects() const {
    std::vector<std::string> found;
    for (const std::string& key : mount.memory.keys()) {
      if (key.starts_with(locks::kDirectoryName)) {
        found.push_back(key);
      }
    }
    return found;
  }
  Mount mount{with_locks()};
};

TEST_F(LockedFilesTest, WhatIsOpenGoesOnFromTheNewestVersionWhenItIsLocked) {
  mount.memory.put_text("counter", "1");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  EXPECT_EQ(*mount.read(*handle), "1");
  mount.memory.put_text("counter", "another host's");
  EXPECT_EQ(*mount.read(*handle), "1") << "one version from open to close, unless it is locked";
  ASSERT_OK(lock(*handle));
  EXPECT_EQ(mount.fs().getattr((*mount.nodes().find(kRoot, "counter"))->id, mount.caller())->attributes.size, 14U);
  EXPECT_EQ(*mount.read(*handle), "another host's");
  EXPECT_OK(mount.write(*handle, 0, "ANOTHER"));
  EXPECT_OK(unlock(*handle));
  EXPECT_EQ(mount.memory.text("counter"), "ANOTHER host's") << "stored before anybody else gets the lock";
  EXPECT_THAT(lease_objects(), IsEmpty());
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LockedFilesTest, ALockCostsTwoRequestsAndAReadUnderItOneMore) {
  mount.memory.put_text("counter", "1");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(lock(*handle));  // with the proof
  ASSERT_OK(unlock(*handle));
  mount.requests();
  ASSERT_OK(lock(*handle));
  ASSERT_OK(unlock(*handle));
  EXPECT_EQ(mount.requests().size(), 2U);
  ASSERT_OK(lock(*handle));
  EXPECT_EQ(*mount.read(*handle), "1");
  EXPECT_EQ(*mount.read(*handle), "1");
  ASSERT_OK(unlock(*handle));
  EXPECT_EQ(mount.requests().size(), 3U);
  EXPECT_OK(unlock(*handle));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.requests(), IsEmpty());
}

TEST_F(LockedFilesTest, AWriteUnderALockGoesIntoTheNewestVersion) {
  mount.memory.put_text("counter", "aaaa");
  const auto handle = mount.open("counter", O_WRONLY);
  ASSERT_OK(handle);
  mount.memory.put_text("counter", "bbbb");
  ASSERT_OK(lock(*handle));
  EXPECT_OK(mount.write(*handle, 1, "X"));
  EXPECT_OK(unlock(*handle));
  EXPECT_EQ(mount.memory.text("counter"), "bXbb");
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LockedFilesTest, ANewEmptyFileIsTheOneThatAnotherHostHasFilledMeanwhile) {
  const auto handle = mount.create(kRoot, "counter", O_RDWR);
  ASSERT_OK(handle);
  mount.memory.put_text("counter", "7");
  ASSERT_OK(lock(*handle));
  EXPECT_EQ(*mount.read(*handle), "7");
  EXPECT_OK(mount.write(*handle, 0, "8"));
  EXPECT_OK(unlock(*handle));
  EXPECT_EQ(mount.memory.text("counter"), "8");
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LockedFilesTest, ANewEmptyFileThatIsLockedIsStored) {
  const auto handle = mount.create(kRoot, "lock", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(lock(*handle));
  EXPECT_EQ(*mount.read(*handle), "");
  EXPECT_OK(unlock(*handle));
  EXPECT_EQ(mount.memory.text("lock"), "");
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LockedFilesTest, WhatIsWrittenBeforeTheLockStays) {
  mount.memory.put_text("counter", "aaaa");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  EXPECT_OK(mount.write(*handle, 0, "X"));
  mount.memory.put_text("counter", "bbbb");
  ASSERT_OK(lock(*handle));
  EXPECT_EQ(*mount.read(*handle), "Xaaa");
  EXPECT_ERRC(unlock(*handle), Errc::stale) << "no update of the other host is lost";
  EXPECT_EQ(mount.memory.text("counter"), "bbbb");
  EXPECT_THAT(lease_objects(), IsEmpty()) << "unlocked all the same";
  EXPECT_FALSE(mount.close(*handle));
  EXPECT_THAT(mount.kept(), ElementsAre("Xaaa"));
}

TEST_F(LockedFilesTest, WhatAnotherHostHasDeletedIsStale) {
  mount.memory.put_text("counter", "1");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  mount.memory.erase("counter");
  ASSERT_OK(lock(*handle));
  EXPECT_ERRC(mount.read(*handle), Errc::stale);
  EXPECT_OK(unlock(*handle));
  mount.fs().release(*handle);
}

TEST_F(LockedFilesTest, OtherFilesThatAreOpenedUnderALockAreAskedFor) {
  mount.memory.put_text("lock", "");
  mount.memory.put_text("data", "old");
  EXPECT_EQ(*mount.read_file("data"), "old");
  const auto handle = mount.open("lock", O_RDONLY);
  ASSERT_OK(handle);
  mount.memory.put_text("data", "new");
  EXPECT_EQ(*mount.read_file("data"), "old") << "within the window";
  ASSERT_OK(lock(*handle, kShared));
  mount.clock.advance(1ms);
  EXPECT_EQ(*mount.read_file("data"), "new");
  EXPECT_OK(unlock(*handle));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LockedFilesTest, AnUnlockWaitsForWhatTheJournalHasAcknowledged) {
  MountSettings given = with_locks();
  given.settings.journal_commits = true;
  Mount journalled(given);
  journalled.memory.put_text("lock", "");
  const auto handle = journalled.open("lock", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(journalled.fs().lock(*handle, kExclusive, Wait::no, journalled.caller()));
  EXPECT_OK(journalled.create_file(kRoot, "data", "guarded"));
  EXPECT_OK(journalled.write(*handle, 0, "mine"));
  EXPECT_OK(journalled.fs().unlock(*handle, kOwner, locks::kEverything, journalled.caller()));
  EXPECT_EQ(journalled.memory.text("data"), "guarded");
  EXPECT_EQ(journalled.memory.text("lock"), "mine");
  EXPECT_OK(journalled.close(*handle));
}

TEST_F(LockedFilesTest, WhoHasLostAnExclusiveLockWritesNoMore) {
  mount.memory.put_text("counter", "1");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(lock(*handle));
  EXPECT_OK(mount.write(*handle, 0, "2"));
  mount.clock.advance(31s);
  mount.locks().renew_due();
  EXPECT_FALSE(mount.write(*handle, 1, "3"));
  EXPECT_ERRC(unlock(*handle), Errc::io);
  EXPECT_ERRC(mount.close(*handle), Errc::io);
  EXPECT_EQ(mount.memory.text("counter"), "1");
  EXPECT_THAT(mount.kept(), ElementsAre("2"));
}

TEST_F(LockedFilesTest, TheLeaseObjectsAreNoFiles) {
  mount.memory.put_text("counter", "1");
  mount.memory.put_text("a/.prefixfs-locks/x", "an ordinary file");
  const auto handle = mount.open("counter", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(lock(*handle));
  ASSERT_EQ(lease_objects().size(), 1U);
  mount.window_ends();
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("a", "counter"));
  EXPECT_ERRC(mount.lookup(".prefixfs-locks"), Errc::not_found);
  EXPECT_ERRC(mount.create(kRoot, ".prefixfs-locks"), Errc::invalid);
  EXPECT_ERRC(mount.fs().mkdir(kRoot, ".prefixfs-locks", 0755, mount.caller()), Errc::invalid);
  EXPECT_ERRC(mount.fs().rename(kRoot, "a", kRoot, ".prefixfs-locks", 0, mount.caller()), Errc::invalid);
  EXPECT_EQ(*mount.read_file("a/.prefixfs-locks/x"), "an ordinary file");
  EXPECT_OK(unlock(*handle));
  EXPECT_OK(mount.close(*handle));
}

TEST_F(VfsTest, WithoutSharedLocksTheirObjectsAreNoFilesEither) {
  Mount mount;
  EXPECT_FALSE(mount.fs().shares_locks());
  mount.memory.put_text(".prefixfs-locks/0123", "another host's");
  mount.memory.put_text("file", "x");
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("file"));
  EXPECT_ERRC(mount.lookup(".prefixfs-locks"), Errc::not_found);
}

}  // namespace
}  // namespace prefixfs::vfs
