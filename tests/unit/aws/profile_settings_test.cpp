#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::HasSubstr;

class ProfileSettingsTest : public ::testing::Test {
 protected:
  ProfileSettings read(const std::string& profile = "") {
    auto settings = read_profile_settings(environment_, files_, profile);
    EXPECT_TRUE(settings) << settings.error().what;
    return settings ? *settings : ProfileSettings{};
  }

  FakeEnvironment environment_{{{"HOME", "/h"}}};
  FakeFileReader files_;
};

TEST_F(ProfileSettingsTest, NothingSaidIsEmpty) {
  const ProfileSettings settings = read();
  EXPECT_EQ(settings.region, "");
  EXPECT_EQ(settings.endpoint_url, "");
  EXPECT_EQ(settings.ca_bundle, "");
}

TEST_F(ProfileSettingsTest, RegionPrecedence) {
  files_.set("/h/.aws/config", "[default]\nregion = eu-west-3\n");
  EXPECT_EQ(read().region, "eu-west-3");
  environment_.set("AWS_DEFAULT_REGION", "eu-west-2");
  EXPECT_EQ(read().region, "eu-west-2");
  environment_.set("AWS_REGION", "eu-west-1");
  EXPECT_EQ(read().region, "eu-west-1");
}

TEST_F(ProfileSettingsTest, ARegionThatCanNeverWorkIsRefused) {
  for (const char* bad : {"US-EAST-1", "eu_west_1", "evil.example/"}) {
    environment_.set("AWS_REGION", bad);
    const auto settings = read_profile_settings(environment_, files_, "");
    ASSERT_FALSE(settings) << bad;
    EXPECT_EQ(settings.error().code, Errc::invalid);
    EXPECT_THAT(settings.error().what, HasSubstr(bad));
  }
}

TEST_F(ProfileSettingsTest, FipsAndDualstack) {
  EXPECT_FALSE(read().use_fips);
  EXPECT_FALSE(read().use_dualstack);
  files_.set("/h/.aws/config", "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n");
  EXPECT_TRUE(read().use_fips);
  EXPECT_TRUE(read().use_dualstack);
  environment_.set("AWS_USE_FIPS_ENDPOINT", "false");
  environment_.set("AWS_USE_DUALSTACK_ENDPOINT", "true");
  EXPECT_FALSE(read().use_fips);
  EXPECT_TRUE(read().use_dualstack);
}

TEST_F(ProfileSettingsTest, EndpointPrecedence) {
  files_.set("/h/.aws/config",
             "[profile a]\nendpoint_url = http://profile\n[profile b]\nservices = local\nendpoint_url = http://profile\n"
             "[services local]\ns3 =\n  endpoint_url = http://service\n");
  EXPECT_EQ(read("a").endpoint_url, "http://profile");
  EXPECT_EQ(read("b").endpoint_url, "http://service");
  environment_.set("AWS_ENDPOINT_URL", "http://all");
  EXPECT_EQ(read("b").endpoint_url, "http://all");
  environment_.set("AWS_ENDPOINT_URL_S3", "http://s3");
  EXPECT_EQ(read("b").endpoint_url, "http://s3");
  environment_.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
  EXPECT_EQ(read("b").endpoint_url, "");
}

TEST_F(ProfileSettingsTest, IgnoredEndpointsByProfile) {
  files_.set("/h/.aws/config", "[default]\nendpoint_url = http://profile\nignore_configured_endpoint_urls = true\n");
  EXPECT_EQ(read().endpoint_url, "");
}

TEST_F(ProfileSettingsTest, ServicesSectionThatIsMissing) {
  files_.set("/h/.aws/config", "[default]\nservices = nowhere\nendpoint_url = http://profile\n");
  EXPECT_EQ(read().endpoint_url, "http://profile");
}

TEST_F(ProfileSettingsTest, CaBundle) {
  files_.set("/h/.aws/config", "[default]\nca_bundle = /etc/profile.pem\n");
  EXPECT_EQ(read().ca_bundle, "/etc/profile.pem");
  environment_.set("AWS_CA_BUNDLE", "/etc/variable.pem");
  EXPECT_EQ(read().ca_bundle, "/etc/variable.pem");
}

TEST_F(ProfileSettingsTest, MissingProfileIsInvalid) {
  const auto settings = read_profile_settings(environment_, files_, "x");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::invalid);
  EXPECT_THAT(settings.error().what, HasSubstr("profile \"x\" is not in /h/.aws/credentials or /h/.aws/config"));
}

TEST_F(ProfileSettingsTest, RegionMustBeAName) {
  environment_.set("AWS_REGION", "eu-west-1/../evil.example");
  const auto settings = read_profile_settings(environment_, files_, "");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::invalid);
}

TEST_F(ProfileSettingsTest, BrokenFile) {
  files_.set("/h/.aws/config", "region\n");
  const auto settings = read_profile_settings(environment_, files_, "");
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().what, HasSubstr("/h/.aws/config:1: "));
}

}  // namespace
}  // namespace prefixfs::aws
