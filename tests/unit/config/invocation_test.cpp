#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace prefixfs::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Invocation, OfItsOwnName) {
  const auto made = parse_invocation("prefixfs", {"s3://bucket/a/b", "mnt", "-f", "-v"}, "/home/u", MapFiles{});
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_EQ(made->command, Command::mount);
  EXPECT_TRUE(made->verbose);
  EXPECT_FALSE(made->fake);
  EXPECT_TRUE(made->options.foreground);
  EXPECT_EQ(made->options.bucket, "bucket");
  EXPECT_EQ(made->options.prefix.str(), "a/b/");
  EXPECT_EQ(made->options.mountpoint, "/home/u/mnt");
  EXPECT_THAT(made->options.fuse_options, ElementsAre("nosuid", "nodev"));
}

class Helper : public testing::TestWithParam<const char*> {};
TEST_P(Helper, TakesMountsWordsAndFMeansFake) {
  const auto made = parse_invocation(GetParam(), {"s3://bucket", "/mnt", "-f", "-n", "-o", "rw,_netdev,noatime"}, "/", MapFiles{});
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_TRUE(made->fake);
  EXPECT_FALSE(made->options.foreground);
  EXPECT_THAT(made->options.fuse_options, ElementsAre("nosuid", "nodev", "noatime"));
}
INSTANTIATE_TEST_SUITE_P(Names, Helper, testing::Values("mount.prefixfs", "mount.fuse.prefixfs"));

TEST(Invocation, LaterListsWin) {
  const auto made = parse_invocation("prefixfs", {"s3://bucket", "/mnt", "-o", "region=r1,ro", "-oregion=r2"}, "/", MapFiles{});
  EXPECT_EQ(made->options.region, "r2");
  EXPECT_TRUE(made->options.read_only);
}

TEST(Invocation, AValueMayHoldAComma) {
  const auto made = parse_invocation("prefixfs", {"s3://bucket", "/mnt", "-o", "cache_dir=/a\\,b,ro"}, "/", MapFiles{});
  EXPECT_EQ(made->options.cache_dir, "/a,b");
  EXPECT_TRUE(made->options.read_only);
}

TEST(Invocation, HelpAndVersionReadNothing) {
  MapFiles broken;
  broken.texts["/etc/prefixfs/prefixfs.toml"] = "nonsense";
  EXPECT_EQ(parse_invocation("prefixfs", {"--help"}, "/", broken)->command, Command::help);
  EXPECT_EQ(parse_invocation("prefixfs", {"--version"}, "/", broken)->command, Command::version);
  EXPECT_EQ(parse_invocation("prefixfs", {"--man"}, "/", broken)->command, Command::man_page);
}

TEST(Invocation, ErrorsOfAllPartsComeThrough) {
  EXPECT_THAT(parse_invocation("prefixfs", {"bucket/a", "/mnt"}, "/", MapFiles{}).error().what, HasSubstr("s3://BUCKET"));
  EXPECT_THAT(parse_invocation("prefixfs", {"s3://bucket", ""}, "/", MapFiles{}).error().what, HasSubstr("mount point"));
  EXPECT_THAT(parse_invocation("prefixfs", {"s3://bucket", "/mnt", "-o", "bad"}, "/", MapFiles{}).error().what, HasSubstr("\"bad\""));
  MapFiles files;
  files.texts["/etc/prefixfs/prefixfs.toml"] = "bad = 1";
  EXPECT_THAT(parse_invocation("prefixfs", {"s3://bucket", "/mnt"}, "/", files).error().what,
              HasSubstr("/etc/prefixfs/prefixfs.toml, line 1"));
}

}  // namespace
}  // namespace prefixfs::config
