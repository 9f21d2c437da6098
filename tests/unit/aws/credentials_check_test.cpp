#include "credentials_check.h"

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string error_in(std::string_view text) {
  const auto credentials = parse_credentials_json(text, "http://h:1");
  EXPECT_FALSE(credentials) << text;
  if (credentials) {
    return "";
  }
  EXPECT_EQ(credentials.error().code, Errc::credentials);
  EXPECT_THAT(credentials.error().what, StartsWith("http://h:1: "));
  EXPECT_THAT(credentials.error().what, Not(HasSubstr("geheim")));
  return credentials.error().what;
}

TEST(CredentialsJson, Complete) {
  const auto credentials = parse_credentials_json(
      R"({"AccessKeyId":"ASIAX","SecretAccessKey":"s/e+c","Token":"t==","Expiration":"2026-11-21T06:00:00Z","RoleArn":"arn"})", "x");
  ASSERT_TRUE(credentials) << credentials.error().what;
  EXPECT_EQ(credentials->access_key_id, "ASIAX");
  EXPECT_EQ(credentials->secret_access_key, "s/e+c");
  EXPECT_EQ(credentials->session_token, "t==");
  EXPECT_EQ(credentials->expires, WallTime(std::chrono::sys_days(std::chrono::November / 21 / 2026) + 6h));
}

TEST(CredentialsJson, WithoutTokenAndExpiration) {
  const auto credentials = parse_credentials_json(R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":null})", "x");
  ASSERT_TRUE(credentials) << credentials.error().what;
  EXPECT_EQ(credentials->session_token, "");
  EXPECT_FALSE(credentials->expires);
}

TEST(CredentialsJson, YearOfNeverIsNoExpiration) {
  const auto credentials = parse_credentials_json(R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"9999-12-31T23:59:59Z"})", "x");
  ASSERT_TRUE(credentials) << credentials.error().what;
  EXPECT_FALSE(credentials->expires);
}

TEST(CredentialsJson, Malformed) {
  EXPECT_THAT(error_in(""), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_in("<html>geheim</html>"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_in("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_in(R"({"AccessKeyId":"A","SecretAccessKey":"geheim")"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_in(R"({"AccessKeyId":1,"SecretAccessKey":"geheim"})"), HasSubstr("AccessKeyId is not a text"));
  EXPECT_THAT(error_in(R"({"AccessKeyId":"A"})"), HasSubstr("the secret access key is missing"));
  EXPECT_THAT(error_in(R"({"SecretAccessKey":"geheim"})"), HasSubstr("the access key id is missing"));
  EXPECT_THAT(error_in(R"({"AccessKeyId":"A","SecretAccessKey":"geheim","Expiration":"soon"})"), HasSubstr("Expiration is not a time"));
  EXPECT_THAT(error_in(R"({"AccessKeyId":"A","SecretAccessKey":"geheim\r\nx"})"), HasSubstr("control characters"));
  EXPECT_THAT(error_in(std::string(65, '[') + std::string(65536, ' ')), HasSubstr("larger than 64 KiB"));
  EXPECT_THAT(error_in(std::string(30'000, '[')), HasSubstr("not a JSON object"));
}

TEST(CredentialsJson, CodeOtherThanSuccess) {
  EXPECT_THAT(error_in(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"geheim"})"), HasSubstr("says AssumeRoleUnauthorizedAccess"));
  EXPECT_THAT(error_in(R"({"Code":"line\nbreak"})"), HasSubstr("says something"));
}

TEST(Describe, ShowsNoSecret) {
  EXPECT_EQ(describe({"AKIAIOSFODNN7EXAMPLE", "geheim", "token", std::nullopt, "environment"}), "AKIA...MPLE from environment");
  EXPECT_EQ(describe({"geheim", "x", "", std::nullopt, "environment"}), "(short id) from environment");
  EXPECT_EQ(describe({"AKIAIOSFODNN7EXAMPLE", "x", "", std::nullopt, ""}), "AKIA...MPLE");
}

TEST(StaticProvider, GivesWhatItHas) {
  const auto provider = make_static_provider({"A", "s", "t", std::nullopt, "test"});
  EXPECT_EQ(provider->get({})->secret_access_key, "s");
  provider->refused(*provider->get({}));
  EXPECT_EQ(provider->get({})->access_key_id, "A");
}

}  // namespace
}  // namespace prefixfs::aws
