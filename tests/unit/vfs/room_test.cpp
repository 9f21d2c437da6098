// A local disk that is too small for everything: what is only a copy of S3 gives way, and what is needed stays.

#include <fmt/format.h>


#include "content.h"
#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

constexpr std::uint64_t kCacheBytes = 256 << 10;

/// `beside_cache`: what the stage may hold besides the cache.
MountSettings small_disk(std::uint64_t beside_cache) {
  MountSettings given = small_parts();
  given.settings.cache_bytes_max = kCacheBytes;
  given.stage_bytes = kCacheBytes + beside_cache;
  return given;
}

class RoomTest : public VfsTest {
 protected:
  explicit RoomTest(std::uint64_t beside_cache = 1 << 20) : mount(small_disk(beside_cache)) { mount.memory.set_part_bytes_min(16 << 10); }
  Mount mount;
};

class LargeStageTest : public RoomTest {
 protected:
  LargeStageTest() : RoomTest(16 << 20) {}
};

TEST_F(RoomTest, ReadersOfManyLargeFilesFindRoom) {
  std::vector<HandleId> open;
  for (unsigned file = 0; file < 8; ++file) {
    const std::string text = pattern(400'000, file);
    mount.memory.put_text(fmt::format("v{}", file), text);
    mount.window_ends();
    const auto handle = mount.open(fmt::format("v{}", file), O_RDONLY);
    ASSERT_OK(handle);
    open.push_back(*handle);
    for (std::size_t at = 0; at < text.size(); at += 50'000) {
      const auto read = mount.read(*handle, at, 50'000);
      ASSERT_OK(read);
      EXPECT_TRUE(*read == text.substr(at, 50'000)) << file << " at " << at;
    }
  }
  const auto writer = mount.create(kRoot, "new", O_WRONLY);
  ASSERT_OK(writer);
  EXPECT_OK(mount.write(*writer, 0, pattern(50'000)));
  EXPECT_OK(mount.close(*writer));
  EXPECT_TRUE(mount.read(open.front(), 0, 50'000).value_or("") == pattern(400'000, 0).substr(0, 50'000)) << "what has given way comes again";
}

TEST_F(RoomTest, WritersWaitForUploadsThatAreOwed) {
  MountSettings given = small_disk(1 << 20);
  given.settings.journal_commits = true;
  Mount journalled(given);
  journalled.memory.set_part_bytes_min(16 << 10);
  for (unsigned file = 0; file < 20; ++file) {
    EXPECT_OK(journalled.create_file(kRoot, fmt::format("v{}", file), pattern(400'000, file))) << file;
  }
  EXPECT_OK(journalled.fs().drain(true, {}));
  for (unsigned file = 0; file < 20; ++file) {
    EXPECT_TRUE(journalled.memory.text(fmt::format("v{}", file)) == pattern(400'000, file)) << file;
  }
}

TEST_F(RoomTest, NobodyWaitsForUploadsInAnOutage) {
  MountSettings given = small_disk(1 << 20);
  given.settings.journal_commits = true;
  Mount journalled(given);
  for (const char* operation : {"PutObject", "CreateMultipartUpload"}) {
    journalled.store.add({.operation = operation, .count = -1});
  }
  Result<void> made;
  unsigned files = 0;
  for (; made && files < 20; ++files) {
    made = journalled.create_file(kRoot, fmt::format("v{}", files), pattern(400'000, files));
  }
  EXPECT_ERRC(made, Errc::no_space);
  EXPECT_EQ(journalled.fs().owed().size(), files - 1) << "what was acknowledged stays";
}

TEST_F(RoomTest, AReaderWhoGoesBackwardsFindsRoom) {
  const std::string text = pattern(3'000'000);
  mount.memory.put_text("v", text);
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  for (std::size_t at = text.size(); at > 0; at -= 50'000) {
    const auto read = mount.read(*handle, at - 50'000, 50'000);
    ASSERT_OK(read);
    EXPECT_TRUE(*read == text.substr(at - 50'000, 50'000)) << at;
  }
}

TEST_F(RoomTest, BytesOfAnOpenFileThatAreStoredGiveWayToItsNextOnes) {
  const auto handle = mount.create(kRoot, "log", O_WRONLY | O_APPEND);
  ASSERT_OK(handle);
  for (int line = 0; line < 40; ++line) {
    ASSERT_OK(mount.write(*handle, 0, pattern(50'000)));
    ASSERT_OK(mount.fs().fsync(*handle, mount.caller()));
  }
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("log")->size(), 40u * 50'000);
}

TEST_F(RoomTest, WhatIsNotStoredYetNeverGivesWay) {
  const auto first = mount.create(kRoot, "a", O_WRONLY);
  const auto second = mount.create(kRoot, "b", O_WRONLY);
  ASSERT_OK(first);
  ASSERT_OK(second);
  ASSERT_OK(mount.write(*first, 0, pattern(1'000'000)));
  EXPECT_ERRC(mount.write(*second, 0, pattern(1'000'000, 2)), Errc::no_space);
  EXPECT_OK(mount.close(*first));
  EXPECT_TRUE(mount.memory.text("a") == pattern(1'000'000));
}

TEST_F(RoomTest, APinnedRangeStays) {
  auto staged = mount.stage().create(1 << 20);
  ASSERT_OK(staged);
  const auto content = std::make_shared<Content>(*staged, ETag::from_wire("\"one\""));
  ASSERT_OK(content->file->fill(0, bytes_of(pattern(1 << 20))));
  {
    const Pin pin(content, {0, 512 << 10});
    const Pin same(content, {0, 512 << 10});
    EXPECT_EQ(content->give_back(kWholeFile, kWholeFile.end), 512u << 10);
    EXPECT_TRUE(content->file->missing({0, 512 << 10}).empty());
  }
  EXPECT_EQ(content->give_back(kWholeFile, 100), 512u << 10) << "a slice at a time, and whole blocks";
  EXPECT_EQ(content->file->allocated_bytes(), 0u);
  EXPECT_TRUE(content->pinned.empty());
}

TEST_F(RoomTest, WhatS3NoLongerHasStays) {
  auto staged = mount.stage().create(8 << 10);
  ASSERT_OK(staged);
  const auto content = std::make_shared<Content>(*staged, ETag::from_wire("\"one\""));
  ASSERT_OK(content->file->fill(0, bytes_of(pattern(8 << 10))));
  content->irreplaceable = true;
  EXPECT_EQ(content->give_back(kWholeFile, kWholeFile.end), 0u);
}

TEST_F(LargeStageTest, AFileLargerThanTheCacheIsChangedInManyPlaces) {
  std::string text = pattern(2'000'000);
  mount.memory.put_text("v", text);
  const auto handle = mount.open("v", O_RDWR);
  ASSERT_OK(handle);
  const std::string large(300 << 10, 'X');
  ASSERT_OK(mount.write(*handle, 0, large));
  text.replace(0, large.size(), large);
  for (const std::size_t at : {700'000U, 1'000'000U, 1'300'000U, 1'600'000U}) {
    ASSERT_OK(mount.write(*handle, at, "Y"));
    text[at] = 'Y';
  }
  EXPECT_OK(mount.close(*handle));
  EXPECT_TRUE(mount.memory.text("v") == text);
}

TEST_F(LargeStageTest, AFileLargerThanTheCacheIsSentWholeWherePartsCannotBeCopied) {
  auto capabilities = mount.memory.capabilities();
  capabilities.part_copy = s3::Support::no;
  mount.memory.set_capabilities(capabilities);
  std::string text = pattern(2'000'000);
  mount.memory.put_text("v", text);
  const auto handle = mount.open("v", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 1'000'000, "Y"));
  text[1'000'000] = 'Y';
  EXPECT_OK(mount.close(*handle));
  EXPECT_TRUE(mount.memory.text("v") == text);
}

TEST_F(LargeStageTest, AnOpenFileUpToTheSizeOfTheCacheStaysReadableWhenItIsUnlinked) {
  const std::string text = pattern(200'000);
  mount.memory.put_text("v", text);
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_OK(mount.fs().unlink(kRoot, "v", mount.caller()));
  EXPECT_TRUE(mount.read(*handle, 0, text.size()).value_or("") == text);
}

TEST_F(LargeStageTest, AnOpenFileLargerThanTheCacheIsUnlinkedAtOnce) {
  mount.memory.put_text("v", pattern(1'000'000));
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  mount.requests();
  EXPECT_OK(mount.fs().unlink(kRoot, "v", mount.caller()));
  EXPECT_THAT(mount.requests(), ::testing::ElementsAre("DeleteObject v"));
  EXPECT_ERRC(mount.read(*handle, 500'000, 1000), Errc::stale);
  EXPECT_OK(mount.close(*handle));
}

TEST_F(LargeStageTest, AnOpenFileLargerThanTheCacheIsReplacedByRenameAtOnce) {
  mount.memory.put_text("v", pattern(1'000'000));
  mount.memory.put_text("new", "small");
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  ASSERT_OK(mount.lookup("new"));
  mount.requests();
  EXPECT_OK(mount.fs().rename(kRoot, "new", kRoot, "v", 0, mount.caller()));
  EXPECT_THAT(mount.requests(), ::testing::ElementsAre("CopyObject v", "DeleteObject new"));
  EXPECT_ERRC(mount.read(*handle, 500'000, 1000), Errc::stale);
  EXPECT_EQ(mount.read_file("v").value_or("?"), "small");
}

TEST_F(VfsTest, UnlinkNeverFailsForWantOfSpace) {
  MountSettings given = small_disk(0);
  given.settings.cache_bytes_max = 64 << 20;
  Mount mount(given);
  mount.memory.put_text("v", pattern(1'000'000));
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_OK(mount.fs().unlink(kRoot, "v", mount.caller()));
  EXPECT_ERRC(mount.read(*handle, 500'000, 1000), Errc::stale);
  EXPECT_TRUE(mount.memory.keys().empty());
}

TEST_F(LargeStageTest, AnUnlinkThatFailsLeavesTheFileAsItWas) {
  const std::string text = pattern(1'000'000);
  mount.memory.put_text("v", text);
  const auto handle = mount.open("v", O_RDONLY);
  ASSERT_OK(handle);
  mount.store.add({.operation = "DeleteObject"});
  EXPECT_ERRC(mount.fs().unlink(kRoot, "v", mount.caller()), Errc::unavailable);
  EXPECT_TRUE(mount.read(*handle, 500'000, 1000).value_or("") == text.substr(500'000, 1000));
}

}  // namespace
}  // namespace prefixfs::vfs
