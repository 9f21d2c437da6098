// attrs=exact: readdir asks for what a listing does not tell.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

MountSettings exact() {
  MountSettings given;
  given.settings.list_exactly = true;
  return given;
}

s3::ObjectHeaders with_mode(const std::string& mode) {
  s3::ObjectHeaders headers;
  headers.user_metadata = {{"file-permissions", mode}};
  return headers;
}

std::map<std::string, Entry> listed(Mount& mount) {
  std::map<std::string, Entry> found;
  const auto handle = mount.fs().opendir(meta::kRootInode, mount.caller());
  EXPECT_OK(handle);
  EXPECT_OK(mount.fs().readdir(*handle, 0, [&](const DirectoryEntry& entry) { return found.emplace(entry.name, entry.entry).second; }, mount.caller()));
  mount.fs().releasedir(*handle);
  return found;
}

using ExactListingTest = VfsTest;

TEST_F(ExactListingTest, EachVersionIsAskedForOnce) {
  Mount mount(exact());
  mount.memory.put_text("file", "text", with_mode("0100600"));
  mount.memory.put_text("link", "file", with_mode("0120777"));
  mount.memory.put_text("marked/", "", with_mode("0040700"));
  mount.memory.put_text("implied/file", "text");
  auto found = listed(mount);
  EXPECT_EQ(found["file"].attributes.posix.mode, 0600u);
  EXPECT_EQ(found["link"].attributes.kind, NodeKind::symlink);
  EXPECT_EQ(found["marked"].attributes.posix.mode, 0700u);
  EXPECT_TRUE(found["file"].exact && found["link"].exact && found["marked"].exact && found["implied"].exact);
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("ListObjectsV2 ", "HeadObject file", "HeadObject link", "HeadObject marked/", "HeadObject implied/"));
  mount.window_ends();
  EXPECT_EQ(listed(mount)["file"].attributes.posix.mode, 0600u);
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("ListObjectsV2 "));
  mount.memory.put_text("file", "other", with_mode("0100640"));
  mount.window_ends();
  EXPECT_EQ(listed(mount)["file"].attributes.posix.mode, 0640u);
  EXPECT_THAT(mount.requests(), UnorderedElementsAre("ListObjectsV2 ", "HeadObject file"));
}

TEST_F(ExactListingTest, WhatS3DoesNotTellIsShownAsWithoutIt) {
  Mount mount(exact());
  for (const char* name : {"a", "b", "c"}) {
    mount.memory.put_text(name, "text", with_mode("0100600"));
  }
  mount.store.add({.operation = "HeadObject", .count = -1});
  auto found = listed(mount);
  EXPECT_EQ(found.size(), 5u) << "with . and ..";
  EXPECT_EQ(found["a"].attributes.posix.mode, 0644u);
}

TEST_F(ExactListingTest, StatfsTellsTheConfiguredSize) {
  MountSettings given;
  given.settings.shown_bytes = 1 << 20;
  Mount mount(given);
  EXPECT_EQ(mount.fs().statfs().total_bytes, 1u << 20);
  EXPECT_EQ(mount.fs().statfs().free_bytes, 1u << 20);
  ASSERT_OK(mount.create_file(kRoot, "file", pattern(10000)));
  EXPECT_GE(mount.fs().statfs().local_bytes, 10000u);
  EXPECT_EQ(mount.fs().statfs().free_bytes, (1u << 20) - mount.fs().statfs().local_bytes);
  ASSERT_OK(mount.create_file(kRoot, "large", pattern(2 << 20)));
  EXPECT_EQ(mount.fs().statfs().free_bytes, 0u);
}

}  // namespace
}  // namespace prefixfs::vfs
