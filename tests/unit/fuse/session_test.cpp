#include "prefixfs/fuse/session.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"

namespace prefixfs::fuse {
namespace {

TEST(CheckMountpointTest, SaysWhatIsWrong) {
  const test::TempDir directory;
  EXPECT_TRUE(check_mountpoint(directory.str()));
  const auto missing = check_mountpoint(directory.file("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().what.find("mkdir"), std::string::npos);
  std::ofstream(directory.file("file")) << "x";
  ASSERT_FALSE(check_mountpoint(directory.file("file")));
  EXPECT_EQ(check_mountpoint(directory.file("file")).error().code, Errc::not_dir);
}

}  // namespace
}  // namespace prefixfs::fuse
