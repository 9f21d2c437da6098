#include "command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prefixfs::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CommandLine, TakesOperandsAndOptionsInAnyOrder) {
  const auto line = read_command_line({"-o", "a,b", "s3://b/p", "-f", "/mnt", "-oc", "--options", "d"}, false);
  ASSERT_TRUE(line.has_value()) << line.error().what;
  EXPECT_THAT(line->operands, ElementsAre("s3://b/p", "/mnt"));
  EXPECT_THAT(line->lists, ElementsAre("a,b", "c", "d"));
  EXPECT_TRUE(line->f);
  EXPECT_FALSE(line->verbose);
}

TEST(CommandLine, TakesMountsOwnFlags) {
  const auto line = read_command_line({"s3://b/p", "/mnt", "-sfnv", "-N", "/proc/1/ns", "-t", "fuse.prefixfs", "-o", "rw"}, true);
  ASSERT_TRUE(line.has_value()) << line.error().what;
  EXPECT_THAT(line->operands, ElementsAre("s3://b/p", "/mnt"));
  EXPECT_TRUE(line->f);
  EXPECT_TRUE(line->verbose);
}

TEST(CommandLine, MountsFlagsAreUnknownElsewhere) {
  EXPECT_THAT(read_command_line({"s3://b/p", "/mnt", "-n"}, false).error().what, HasSubstr("unknown argument \"-n\""));
}

struct Bad {
  std::vector<std::string> arguments;
  std::string says;
};
class BadLine : public testing::TestWithParam<Bad> {};
TEST_P(BadLine, IsRefusedInOneLineThatNamesTheArgument) {
  const auto line = read_command_line(GetParam().arguments, false);
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, Errc::invalid);
  EXPECT_THAT(line.error().what, HasSubstr(GetParam().says));
  EXPECT_FALSE(line.error().what.contains('\n'));
}
INSTANTIATE_TEST_SUITE_P(Lines, BadLine,
                         testing::Values(Bad{{}, "source and the mount point are missing"},
                                         Bad{{"s3://b/p"}, "mount point is missing after \"s3://b/p\""},
                                         Bad{{"s3://b/p", "/a", "/b"}, "\"/b\" is one argument too many"},
                                         Bad{{"s3://b/p", "/a", "-x"}, "\"-x\""}, Bad{{"s3://b/p", "/a", "--fast"}, "\"--fast\""},
                                         Bad{{"s3://b/p", "/a", "-o"}, "-o"}));

TEST(CommandLine, HelpAndVersionNeedNoOperands) {
  EXPECT_TRUE(read_command_line({"--help"}, false)->help);
  EXPECT_TRUE(read_command_line({"-h"}, true)->help);
  EXPECT_TRUE(read_command_line({"-V"}, false)->version);
  EXPECT_TRUE(read_command_line({"--man"}, false)->man_page);
}

}  // namespace
}  // namespace prefixfs::config
