#include "open_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace prefixfs::vfs {
namespace {

meta::Node node(InodeId id) { return {.id = id, .parent = 1, .name = "a"}; }

TEST(OpenFilesTest, OneFileForAllHandlesOfAnInode) {
  OpenFiles files;
  EXPECT_EQ(files.find(5), nullptr);
  const auto first = files.acquire(node(5), false);
  const auto second = files.acquire(node(5), true);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first->handles, 2u);
  EXPECT_EQ(first->writers, 1u);
  const HandleId reader = files.add_handle(first, O_RDONLY, ReadAhead({}));
  const HandleId writer = files.add_handle(second, O_RDWR, ReadAhead({}));
  EXPECT_FALSE(files.handle(reader)->writable());
  EXPECT_TRUE(files.handle(writer)->writable());
  EXPECT_EQ(files.all().size(), 1u);
  EXPECT_EQ(files.release(writer), OpenFiles::Released::file_still_open);
  EXPECT_EQ(first->writers, 0u);
  EXPECT_EQ(files.find(5), first);
  EXPECT_EQ(files.release(reader), OpenFiles::Released::file_gone);
  EXPECT_EQ(files.find(5), nullptr);
  EXPECT_EQ(files.release(reader), OpenFiles::Released::file_still_open) << "twice";
  EXPECT_EQ(files.handle(reader), nullptr);
}

TEST(OpenFilesTest, TheLastHandleStaysUntilWhatCameLateIsStored) {
  OpenFiles files;
  const auto file = files.acquire(node(5), true);
  const HandleId writer = files.add_handle(file, O_RDWR, ReadAhead({}));
  file->attributes_changed = true;  // a chmod between the last commit and the release
  EXPECT_EQ(files.release(writer), OpenFiles::Released::owes_commit);
  EXPECT_NE(files.handle(writer), nullptr);
  EXPECT_EQ(files.find(5), file);
  file->told = true;  // S3 refused, and somebody knows
  EXPECT_EQ(files.release(writer), OpenFiles::Released::file_gone);
  EXPECT_EQ(files.find(5), nullptr);
}

TEST(OpenFilesTest, GiveUpUndoesAcquire) {
  OpenFiles files;
  files.give_up(files.acquire(node(5), true), true);
  EXPECT_EQ(files.find(5), nullptr);
}

TEST(OpenFileTest, NeedsCommit) {
  OpenFile file(node(5));
  EXPECT_FALSE(file.needs_commit_locked());
  file.unstored = true;
  EXPECT_TRUE(file.needs_commit_locked());
  file.unlinked = true;
  EXPECT_FALSE(file.needs_commit_locked());
  file.unlinked = file.unstored = false;
  file.attributes_changed = true;
  EXPECT_TRUE(file.needs_commit_locked());
}

}  // namespace
}  // namespace prefixfs::vfs
