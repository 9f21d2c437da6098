#include "subcommand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prefixfs::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Subcommand, RestoreTakesAnyNumberOfPathsAndSaysHow) {
  const auto said = read_subcommand({"restore", "/mnt", "a", "--days", "3", "--tier", "Bulk", "b/c"}, "/");
  ASSERT_TRUE(said) << said.error().what;
  EXPECT_EQ(said->command, Command::restore);
  EXPECT_THAT(said->admin.operands, ElementsAre("a", "b/c"));
  EXPECT_EQ(said->admin.days, 3);
  EXPECT_EQ(said->admin.tier, "Bulk");
  const auto least = read_subcommand({"restore", "/mnt", "a"}, "/");
  ASSERT_TRUE(least) << least.error().what;
  EXPECT_EQ(least->admin.days, 7);
  EXPECT_EQ(least->admin.tier, "Standard");
}

TEST(Subcommand, WhatCannotBeIsRefusedWithTheUsage) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"restore", "/mnt"},
                                                                                    {"restore", "/mnt", "a", "--days", "0"},
                                                                                    {"restore", "/mnt", "a", "--days", "soon"},
                                                                                    {"restore", "/mnt", "a", "--tier", "Fast"},
                                                                                    {"status", "/mnt", "--days", "3"}}) {
    const auto said = read_subcommand(words, "/");
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, Errc::invalid);
    EXPECT_THAT(said.error().what, HasSubstr("usage: prefixfs " + words[0]));
    EXPECT_FALSE(said.error().what.contains('\n'));
  }
}

}  // namespace
}  // namespace prefixfs::config
