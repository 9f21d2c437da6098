#include "mount_table.h"

#include <gtest/gtest.h>

namespace prefixfs::fuse {
namespace {

constexpr std::string_view kMountinfo =
    "22 27 0:20 / /proc rw,relatime shared:5 - proc proc rw\n"
    "90 27 0:61 / /srv/uploads rw,nosuid,nodev,relatime shared:50 - fuse.prefixfs s3://bucket/uploads/ rw,user_id=0\n"
    "91 27 0:62 / /srv/with\\040space\\134 rw - fuse.prefixfs s3://b/ rw\n"
    "92 27 0:63 / /srv/other rw - fuse.sshfs host: rw\n"
    "93 27 0:64 / /srv/longer rw - fuse.prefixfsx s3://b/ rw\n"
    "a line that is no mount\n";

TEST(MountTableTest, FindsExactlyOurMounts) {
  EXPECT_TRUE(is_mounted("/srv/uploads", kMountinfo));
  EXPECT_FALSE(is_mounted("/srv", kMountinfo));
  EXPECT_FALSE(is_mounted("/srv/uploads/deeper", kMountinfo));
  EXPECT_FALSE(is_mounted("/srv/other", kMountinfo));
  EXPECT_FALSE(is_mounted("/proc", kMountinfo));
  EXPECT_FALSE(is_mounted("", kMountinfo));
}

TEST(MountTableTest, ReadsIdsAndDevices) {
  const auto mounts = read_mountinfo(kMountinfo);
  ASSERT_EQ(mounts.size(), 5u);
  EXPECT_EQ(mounts[1].id, "90");
  EXPECT_EQ(mounts[1].device, "0:61");
  EXPECT_EQ(mounts[2].mountpoint, "/srv/with space\\");
  EXPECT_EQ(mounts[3].type, "fuse.sshfs");
}

TEST(MountTableTest, TypeIsComparedWhole) { EXPECT_FALSE(is_mounted("/srv/longer", kMountinfo)); }

TEST(MountTableTest, PathsAreUnescaped) {
  EXPECT_TRUE(is_mounted("/srv/with space\\", kMountinfo));
  EXPECT_FALSE(is_mounted("/srv/with\\040space\\134", kMountinfo));
}

TEST(MountTableTest, ThisProcess) { EXPECT_FALSE(is_mounted("/")); }

}  // namespace
}  // namespace prefixfs::fuse
