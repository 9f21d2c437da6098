#include "option_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace prefixfs::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> texts(const std::vector<OptionWord>& words) {
  std::vector<std::string> made;
  for (const auto& word : words) {
    made.push_back(word.value ? word.name + "=" + *word.value : word.name);
  }
  return made;
}

TEST(SplitWords, SplitsAtCommasThatAreNotEscaped) {
  EXPECT_THAT(texts(split_words("a,b=c,d")), ElementsAre("a", "b=c", "d"));
  EXPECT_THAT(texts(split_words("a=b\\,c,d")), ElementsAre("a=b,c", "d"));
  EXPECT_THAT(texts(split_words("a=b\\040c")), ElementsAre("a=b\\040c"));
  EXPECT_THAT(texts(split_words("a=b\\")), ElementsAre("a=b\\"));
}

TEST(SplitWords, DropsEmptyWordsAndKeepsFurtherEqualSigns) {
  EXPECT_THAT(texts(split_words(",a,,b=,")), ElementsAre("a", "b="));
  const auto words = split_words("coherence=ttl=5");
  EXPECT_EQ(words[0].name, "coherence");
  EXPECT_EQ(words[0].value, "ttl=5");
  EXPECT_TRUE(split_words("").empty());
}

TEST(ApplyWord, DropsWhatIsMeantForMountAndSystemd) {
  const auto options = parse_list(
      "_netdev,nofail,auto,noauto,user,user=joe,users,nouser,owner,group,defaults,x-systemd.automount,x-gvfs-show,comment=a b,suid,dev,"
      "default_permissions,relatime");
  ASSERT_TRUE(options.has_value()) << options.error().what;
  EXPECT_THAT(options->fuse_options, ElementsAre("nosuid", "nodev"));
}

TEST(ApplyWord, HandsMountFlagsOnAndTheLaterOppositeWins) {
  EXPECT_THAT(parse_list("noatime,noexec,async,dirsync")->fuse_options, ElementsAre("nosuid", "nodev", "noatime", "noexec", "async",
              "dirsync"));
  EXPECT_THAT(parse_list("noexec,sync,exec,async,exec")->fuse_options, ElementsAre("nosuid", "nodev", "async", "exec"));
}

TEST(ApplyWord, NamesTheNearestWord) {
  const auto error = parse_list("alow_other").error();
  EXPECT_EQ(error.code, Errc::invalid);
  EXPECT_THAT(error.what, HasSubstr("unknown option \"alow_other\"; is allow_other meant?"));
  EXPECT_THAT(parse_list("noexc").error().what, HasSubstr("is noexec meant?"));
  EXPECT_THAT(parse_list("qwertzuiop").error().what, HasSubstr("--help"));
}

TEST(ApplyWord, ValuesMustBeThereExactlyWhereTheyBelong) {
  EXPECT_THAT(parse_list("region").error().what, HasSubstr("region needs a value: region=NAME"));
  EXPECT_THAT(parse_list("cache_size=").error().what, HasSubstr("cache_size=SIZE"));
  EXPECT_THAT(parse_list("ro=1").error().what, HasSubstr("takes no value"));
}

TEST(ApplyWord, NamesTheWordInAnErrorOfItsValue) {
  EXPECT_THAT(parse_list("cache_size=much").error().what, HasSubstr("option cache_size=much: "));
}

TEST(ApplyFlag, SwitchesBothWays) {
  Options options;
  ASSERT_TRUE(apply_flag("allow_other", true, options).has_value());
  EXPECT_TRUE(options.allow_other);
  ASSERT_TRUE(apply_flag("allow_other", false, options).has_value());
  EXPECT_FALSE(options.allow_other);
  ASSERT_TRUE(apply_flag("rw", false, options).has_value());
  EXPECT_TRUE(options.read_only);
  EXPECT_THAT(apply_flag("region", true, options).error().what, HasSubstr("needs a value"));
  EXPECT_FALSE(apply_flag("nonsense", true, options).has_value());
}

TEST(NearestWord, IsWithinTwoLetters) {
  EXPECT_EQ(nearest_word("endpiont"), "endpoint");
  EXPECT_EQ(nearest_word("cachedir"), "cache_dir");
  EXPECT_EQ(nearest_word("completely_else"), std::nullopt);
  EXPECT_EQ(nearest_word("zz"), std::nullopt);
}

}  // namespace
}  // namespace prefixfs::config
