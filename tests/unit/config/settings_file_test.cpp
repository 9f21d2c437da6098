#include "settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace prefixfs::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

Result<Options> apply(const std::string& text) {
  MapFiles files;
  files.texts["/s.toml"] = text;
  Options options;
  TRY(apply_settings_file(files, "/s.toml", options));
  return options;
}

TEST(SettingsFile, TakesTextsNumbersAndFlags) {
  const auto options = apply("# for all mounts\nregion = \"eu-central-1\"\ncache-size = \"2G\"\nstage_size = 33554432\n"
                             "path_style = true\nallow_other = false\n");
  ASSERT_TRUE(options.has_value()) << options.error().what;
  EXPECT_EQ(options->region, "eu-central-1");
  EXPECT_EQ(options->cache_size_bytes, 2ULL << 30);
  EXPECT_EQ(options->stage_size_bytes, 32ULL << 20);
  EXPECT_TRUE(options->path_style);
  EXPECT_FALSE(options->allow_other);
}

TEST(SettingsFile, UmaskIsOctalAsTextAndAsNumber) {
  EXPECT_EQ(apply("umask = \"027\"")->umask, 027);
  EXPECT_EQ(apply("umask = 0o027")->umask, 027);
}

TEST(SettingsFile, LaterLinesWin) {
  EXPECT_EQ(apply("ttl = 5\ncoherence = \"open\"\n")->coherence, Coherence::open);
  EXPECT_EQ(apply("coherence = \"open\"\nttl = 5\n")->coherence, Coherence::ttl);
}

TEST(SettingsFile, ThatIsNotThereSetsNothing) {
  Options options;
  EXPECT_TRUE(apply_settings_file(MapFiles{}, "/nowhere.toml", options).has_value());
  EXPECT_EQ(options.region, "");
}

TEST(SettingsFile, OtherReadErrorsAreErrors) {
  struct Denied final : FileReader {
    Result<std::string> read(const std::string& path) const override { return fail(Errc::denied, path + ": permission denied"); }
  };
  Options options;
  EXPECT_EQ(apply_settings_file(Denied{}, "/s.toml", options).error().code, Errc::denied);
}

TEST(SettingsFile, ErrorsNameFileAndLine) {
  EXPECT_THAT(apply("region = \"r1\"\n\ncache_sise = \"1G\"\n").error().what,
              AllOf(HasSubstr("/s.toml, line 3: "), HasSubstr("cache_sise"), HasSubstr("cache_size")));
  EXPECT_THAT(apply("\nallow_root = true").error().what, AllOf(HasSubstr("/s.toml, line 2: "), HasSubstr("not built")));
  EXPECT_EQ(apply("allow_root = true").error().code, Errc::unsupported);
  EXPECT_THAT(apply("region = \"r1\"\nregion =\n").error().what, HasSubstr("/s.toml, line 2: "));
}

TEST(SettingsFile, RefusesTablesArraysAndFractions) {
  EXPECT_THAT(apply("[mount]\nregion = \"r1\"").error().what, HasSubstr("mount must be a text"));
  EXPECT_FALSE(apply("region = [\"a\"]").has_value());
  EXPECT_FALSE(apply("ttl = 0.5").has_value());
  EXPECT_FALSE(apply("region = true").has_value());
  EXPECT_FALSE(apply("allow_other = \"yes\"").has_value());
}

TEST(SettingsFile, IsOverruledByTheCommandLine) {
  MapFiles files;
  files.texts[kSettingsPath] = "region = \"eu-central-1\"\nttl = 5\nro = true\n";
  const auto options = parse_list("region=us-west-2,rw", files);
  ASSERT_TRUE(options.has_value()) << options.error().what;
  EXPECT_EQ(options->region, "us-west-2");
  EXPECT_EQ(options->freshness, 5s);
  EXPECT_FALSE(options->read_only);
}

}  // namespace
}  // namespace prefixfs::config
