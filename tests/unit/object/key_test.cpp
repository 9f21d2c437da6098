#include "prefixfs/object/key.h"

#include <gtest/gtest.h>

namespace prefixfs {
namespace {

TEST(PrefixTest, IsEmptyOrEndsInASlash) {
  EXPECT_EQ(Prefix().str(), "");
  EXPECT_EQ(Prefix::from("").str(), "");
  EXPECT_EQ(Prefix::from("data").str(), "data/");
  EXPECT_EQ(Prefix::from("data/").str(), "data/");
  EXPECT_EQ(Prefix::from("a/b").str(), "a/b/");
  EXPECT_EQ(Prefix::from("data//").str(), "data//") << "keys with an empty component exist";
}

TEST(PrefixTest, LosesOneLeadingSlash) {
  EXPECT_EQ(Prefix::from("/").str(), "");
  EXPECT_EQ(Prefix::from("/a/b").str(), "a/b/");
  EXPECT_EQ(Prefix::from("//a").str(), "/a/") << "a key may begin with a slash";
  EXPECT_EQ(Prefix::from("/data"), Prefix::from("data/"));
}

TEST(KeyTest, IsOrderedByBytes) {
  EXPECT_LT(Key("a"), Key("a/"));
  EXPECT_LT(Key("a-b"), Key("a/b"));
  EXPECT_LT(Key("z"), Key("\xc3\xa9")) << "bytes are unsigned, as in S3's order";
  EXPECT_EQ(Key("a"), Key("a"));
  EXPECT_TRUE(Key().empty());
}

TEST(CheckNameTest, AcceptsWhatCanBePartOfAKey) {
  for (const char* name : {"a", "...", ".hidden", " ", "a b", "a\\b", "new\nline", "J\xc3\xbcrgen", "%2F", "a:b*c?"}) {
    EXPECT_TRUE(check_name(name)) << name;
  }
  EXPECT_TRUE(check_name(std::string(255, 'x')));
}

TEST(CheckNameTest, CountsBytesNotCharacters) {
  std::string umlauts;
  for (int i = 0; i < 128; ++i) {
    umlauts += "\xc3\xbc";
  }
  EXPECT_EQ(check_name(umlauts).error().code, Errc::name_too_long);
  EXPECT_EQ(check_name(std::string(256, 'x')).error().code, Errc::name_too_long);
}

TEST(CheckNameTest, RefusesWhatCannotBeAName) {
  using namespace std::string_view_literals;
  for (const std::string_view name : {""sv, "."sv, ".."sv, "/"sv, "a/b"sv, "a/"sv, "a\0b"sv, "\0"sv, "\xff"sv, "\xc3"sv}) {
    const auto checked = check_name(name);
    ASSERT_FALSE(checked) << testing::PrintToString(name);
    EXPECT_EQ(checked.error().code, Errc::bad_name) << testing::PrintToString(name);
    EXPECT_FALSE(checked.error().what.empty());
  }
}

}  // namespace
}  // namespace prefixfs
