// fallocate, holes, and lseek for them.

#include <unistd.h>

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kBlock = 4096;
constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

class SpaceTest : public VfsTest {
 protected:
  SpaceTest() { mount.memory.set_part_bytes_min(16 << 10); }
  Result<void> allocate(HandleId handle, int mode, std::uint64_t offset, std::uint64_t length) {
    return mount.fs().allocate(handle, mode, offset, length, mount.caller());
  }
  Result<std::uint64_t> seek(HandleId handle, std::uint64_t offset, int whence) {
    return mount.fs().seek(handle, offset, whence, mount.caller());
  }
  std::string zeros(std::size_t size) { return std::string(size, '\0'); }

  Mount mount{small_parts()};
};

TEST_F(SpaceTest, WhatIsAllocatedIsZerosAndIsStored) {
  const auto handle = mount.create(kRoot, "f");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "ab"));
  ASSERT_OK(allocate(*handle, 0, 5, 5));
  EXPECT_EQ(mount.lookup("f")->attributes.size, 10u);
  ASSERT_OK(allocate(*handle, 0, 0, 7));
  EXPECT_EQ(mount.lookup("f")->attributes.size, 10u) << "it never shrinks";
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("f"), "ab" + zeros(8));
  EXPECT_EQ(mount.store.count("PutObject"), 1);
}

TEST_F(SpaceTest, AnAllocationThatChangesNothingStoresNothing) {
  mount.memory.put_text("f", "content");
  const auto handle = mount.open("f", O_WRONLY);
  ASSERT_OK(handle);
  ASSERT_OK(allocate(*handle, FALLOC_FL_KEEP_SIZE, 0, 1000));
  ASSERT_OK(allocate(*handle, 0, 2, 3));
  ASSERT_OK(allocate(*handle, kPunch, 7, 100));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.store.count("PutObject"), 0);
  EXPECT_EQ(mount.lookup("f")->attributes.size, 7u);
}

TEST_F(SpaceTest, APunchedHoleIsNotFetchedAndIsStored) {
  std::string text = pattern(1'000'000);
  mount.memory.put_text("big", text);
  const auto handle = mount.open("big", O_WRONLY);
  ASSERT_OK(handle);
  mount.requests();
  ASSERT_OK(allocate(*handle, kPunch, 400'000, 200'000));
  const auto there = mount.read(*handle, 450'000, 1000);
  ASSERT_OK(there);
  EXPECT_EQ(*there, zeros(1000));
  EXPECT_THAT(mount.requests(), IsEmpty());
  EXPECT_OK(mount.close(*handle));
  text.replace(400'000, 200'000, zeros(200'000));
  EXPECT_TRUE(mount.memory.text("big") == text);
  EXPECT_GT(mount.store.count("UploadPartCopy"), 0);
}

TEST_F(SpaceTest, ZerosMayGrowTheFileOrNot) {
  const auto handle = mount.create(kRoot, "f");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "0123456789"));
  ASSERT_OK(allocate(*handle, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 8, 10));
  EXPECT_EQ(mount.read(*handle).value_or("?"), "01234567" + zeros(2));
  ASSERT_OK(allocate(*handle, FALLOC_FL_ZERO_RANGE, 6, 10));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("f"), "012345" + zeros(10));
}

TEST_F(SpaceTest, BytesCannotBeMovedWithinAnObject) {
  const auto handle = mount.create(kRoot, "f");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "0123456789"));
  for (const int mode : {FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_PUNCH_HOLE, kPunch | FALLOC_FL_ZERO_RANGE}) {
    EXPECT_ERRC(allocate(*handle, mode, 0, 4096), Errc::unsupported);
  }
  EXPECT_ERRC(allocate(*handle, 0, 5, 0), Errc::invalid);
  EXPECT_ERRC(allocate(*handle, 0, ~0ULL, 5), Errc::invalid);
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("f"), "0123456789");
}

TEST_F(SpaceTest, ATruncatedCopyOfAnAllocationIsAChangeLikeAWrite) {
  mount.memory.put_text("f", "0123456789");
  const auto handle = mount.open("f", O_WRONLY);
  ASSERT_OK(handle);
  ASSERT_OK(allocate(*handle, kPunch, 2, 3));
  mount.memory.put_text("f", "another client's");
  EXPECT_ERRC(mount.close(*handle), Errc::stale);
  EXPECT_EQ(mount.memory.text("f"), "another client's");
}

TEST_F(SpaceTest, AnAppenderWhoAllocatesDoesNotOnlyAppend) {
  mount.memory.put_text("f", "line\n");
  const auto handle = mount.open("f", O_WRONLY | O_APPEND);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "mine\n"));
  ASSERT_OK(allocate(*handle, 0, 0, 100));
  mount.memory.put_text("f", "line\nof another\n");
  EXPECT_ERRC(mount.close(*handle), Errc::stale);
  EXPECT_EQ(mount.memory.text("f"), "line\nof another\n");
}

class BoundedSpaceTest : public SpaceTest {
 protected:
  static MountSettings bounds() {
    MountSettings given = small_parts();
    given.settings.max_file_bytes = 1 << 20;
    given.stage_bytes = 256 << 10;
    return given;
  }
  Mount bounded{bounds()};
};

TEST_F(BoundedSpaceTest, WhatThereIsNoRoomForIsRefusedAtOnceAndHarmsNothing) {
  const auto handle = bounded.create(kRoot, "f");
  ASSERT_OK(handle);
  ASSERT_OK(bounded.write(*handle, 0, "kept"));
  EXPECT_ERRC(bounded.fs().allocate(*handle, 0, 0, 2 << 20, bounded.caller()), Errc::too_large);
  EXPECT_ERRC(bounded.fs().allocate(*handle, 0, 0, 1 << 20, bounded.caller()), Errc::no_space);
  EXPECT_OK(bounded.close(*handle));
  EXPECT_EQ(bounded.memory.text("f"), "kept");
}

TEST_F(SpaceTest, DataAndHolesOfWhatWasWritten) {
  const auto writer = mount.create(kRoot, "f", O_RDWR);
  ASSERT_OK(writer);
  ASSERT_OK(mount.write(*writer, 64 * kBlock, std::string(kBlock, 'x')));
  ASSERT_OK(mount.write(*writer, 127 * kBlock, std::string(kBlock, 'y')));
  ASSERT_OK(mount.close(*writer));
  const auto handle = mount.open("f", O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_EQ(seek(*handle, 0, SEEK_DATA).value_or(1), 64 * kBlock);
  EXPECT_EQ(seek(*handle, 0, SEEK_HOLE).value_or(1), 0u);
  EXPECT_EQ(seek(*handle, 64 * kBlock, SEEK_HOLE).value_or(1), 65 * kBlock);
  EXPECT_EQ(seek(*handle, 65 * kBlock, SEEK_DATA).value_or(1), 127 * kBlock);
  EXPECT_EQ(seek(*handle, 127 * kBlock, SEEK_HOLE).value_or(1), 128 * kBlock);
  EXPECT_ERRC(seek(*handle, 128 * kBlock, SEEK_DATA), Errc::past_end);
  EXPECT_ERRC(seek(*handle, 128 * kBlock, SEEK_HOLE), Errc::past_end);
  EXPECT_ERRC(seek(*handle, 0, SEEK_CUR), Errc::invalid);
  EXPECT_OK(mount.close(*handle));
}

TEST_F(SpaceTest, WhatS3HasIsDataAndIsNotFetched) {
  mount.memory.put_text("big", zeros(500'000));
  const auto handle = mount.open("big", O_RDONLY);
  ASSERT_OK(handle);
  mount.requests();
  EXPECT_EQ(seek(*handle, 100, SEEK_DATA).value_or(0), 100u);
  EXPECT_EQ(seek(*handle, 100, SEEK_HOLE).value_or(0), 500'000u);
  EXPECT_THAT(mount.requests(), IsEmpty());
  EXPECT_OK(mount.close(*handle));
}

TEST_F(SpaceTest, AllIsDataWhileSomebodyMayWriteToAMapping) {
  const auto writer = mount.create(kRoot, "f", O_RDWR);
  ASSERT_OK(writer);
  ASSERT_OK(allocate(*writer, 0, 0, 128 * kBlock));
  EXPECT_EQ(seek(*writer, kBlock, SEEK_DATA).value_or(0), kBlock);
  EXPECT_EQ(seek(*writer, kBlock, SEEK_HOLE).value_or(0), 128 * kBlock);
  EXPECT_ERRC(seek(*writer, 128 * kBlock, SEEK_DATA), Errc::past_end);
  EXPECT_OK(mount.close(*writer));
}

TEST_F(SpaceTest, HolesOutliveTheirProcess) {
  std::string text = pattern(300'000);
  mount.memory.put_text("big", text);
  const auto handle = mount.open("big", O_WRONLY);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("big");
  ASSERT_OK(allocate(*handle, kPunch, 100'000, 50'000));
  ASSERT_OK(allocate(*handle, 0, 0, 300'010));
  const auto state = mount.fs().open_state(inode);
  mount.reopen = [&] { EXPECT_OK(mount.fs().reopen({.handle = *handle, .inode = inode, .flags = O_WRONLY, .state = *state})); };
  mount.die();
  EXPECT_OK(mount.close(*handle));
  text.replace(100'000, 50'000, zeros(50'000));
  EXPECT_TRUE(mount.memory.text("big") == text + zeros(10));
}

class OwedSpaceTest : public WriteBackTest {};

TEST_F(OwedSpaceTest, AnAcknowledgedStateIsNotPunched) {
  outage();
  ASSERT_OK(mount.create_file(kRoot, "f", "0123456789"));
  const auto handle = mount.open("f", O_WRONLY);
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().allocate(*handle, kPunch, 2, 3, mount.caller()));
  mount.reopen = [] {};
  mount.die();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("f"), "0123456789") << "what was not closed is gone, what was is whole";
}

}  // namespace
}  // namespace prefixfs::vfs
