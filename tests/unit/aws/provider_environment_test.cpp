#include "provider_environment.h"

#include "aws_fixture.h"
#include "provider_web_identity.h"

namespace prefixfs::aws {
namespace {

TEST(EnvironmentSource, KeysWithAndWithoutToken) {
  FakeEnvironment environment({{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
  EnvironmentSource source(environment);
  Credentials credentials = credentials_of(source.fetch(no_limit()));
  EXPECT_EQ(credentials.access_key_id, "AKIA");
  EXPECT_EQ(credentials.secret_access_key, "s");
  EXPECT_EQ(credentials.session_token, "");
  EXPECT_EQ(credentials.source, "environment");
  EXPECT_FALSE(credentials.expires);
  environment.set("AWS_SESSION_TOKEN", "t");
  EXPECT_EQ(credentials_of(source.fetch(no_limit())).session_token, "t");
}

TEST(EnvironmentSource, NothingSet) {
  FakeEnvironment environment({{"AWS_SESSION_TOKEN", "alone"}});
  EXPECT_EQ(not_here_of(EnvironmentSource(environment).fetch(no_limit())), "AWS_ACCESS_KEY_ID is not set");
}

TEST(EnvironmentSource, HalfSetIsAnErrorThatSaysWhichHalf) {
  FakeEnvironment only_id({{"AWS_ACCESS_KEY_ID", "AKIA"}});
  EXPECT_EQ(error_of(EnvironmentSource(only_id).fetch(no_limit())).what,
            "AWS_ACCESS_KEY_ID is set in the environment but AWS_SECRET_ACCESS_KEY is not");
  FakeEnvironment only_secret({{"AWS_SECRET_ACCESS_KEY", "geheim"}});
  const Error error = error_of(EnvironmentSource(only_secret).fetch(no_limit()));
  EXPECT_EQ(error.code, Errc::credentials);
  EXPECT_EQ(error.what, "AWS_SECRET_ACCESS_KEY is set in the environment but AWS_ACCESS_KEY_ID is not");
}

TEST(EnvironmentSource, PastedLineBreakIsAnErrorWithoutTheSecret) {
  FakeEnvironment environment({{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "geheim\n"}});
  EXPECT_EQ(error_of(EnvironmentSource(environment).fetch(no_limit())).what,
            "environment: a key or token is too long or holds blanks or control characters");
}

TEST(WebIdentitySource, IsRefusedByName) {
  FakeEnvironment environment({{"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}});
  WebIdentitySource source(environment);
  EXPECT_EQ(not_here_of(source.fetch(no_limit())), "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token");
  const Error error = error_of(source.fetch(no_limit()));
  EXPECT_EQ(error.code, Errc::credentials);
  EXPECT_THAT(error.what, ::testing::StartsWith("not built yet: AWS_WEB_IDENTITY_TOKEN_FILE"));
}

}  // namespace
}  // namespace prefixfs::aws
