#include "provider_shared_files.h"

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SharedFilesSourceTest : public ::testing::Test {
 protected:
  Result<CredentialsSource::Answer> fetch(const std::string& profile = "") {
    return SharedFilesSource(environment_, files_, profile).fetch(no_limit());
  }
  std::string error(const std::string& profile = "") {
    const Error seen = error_of(fetch(profile));
    EXPECT_EQ(seen.code, Errc::credentials) << seen.what;
    EXPECT_THAT(seen.what, Not(HasSubstr("geheim")));
    return seen.what;
  }

  FakeEnvironment environment_{{{"HOME", "/home/u"}}};
  FakeFileReader files_;
};

TEST_F(SharedFilesSourceTest, DefaultProfileOfTheCredentialsFile) {
  files_.set("/home/u/.aws/credentials", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\naws_session_token=t\n");
  const Credentials credentials = credentials_of(fetch());
  EXPECT_EQ(credentials.access_key_id, "AKIA");
  EXPECT_EQ(credentials.secret_access_key, "s");
  EXPECT_EQ(credentials.session_token, "t");
  EXPECT_EQ(credentials.source, "profile default");
}

TEST_F(SharedFilesSourceTest, KeysMayStandInTheConfigFile) {
  files_.set("/home/u/.aws/config", "[profile resumes]\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
  EXPECT_EQ(credentials_of(fetch("resumes")).source, "profile resumes");
}

TEST_F(SharedFilesSourceTest, CredentialsFileWinsOverConfig) {
  files_.set("/home/u/.aws/config", "[profile a]\naws_access_key_id=CONFIG\naws_secret_access_key=c\n");
  files_.set("/home/u/.aws/credentials", "[a]\naws_access_key_id=CREDENTIALS\naws_secret_access_key=s\n");
  EXPECT_EQ(credentials_of(fetch("a")).access_key_id, "CREDENTIALS");
}

TEST_F(SharedFilesSourceTest, OptionBeforeVariableBeforeDefault) {
  files_.set("/home/u/.aws/credentials",
             "[default]\naws_access_key_id=D\naws_secret_access_key=s\n[v]\naws_access_key_id=V\naws_secret_access_key=s\n"
             "[o]\naws_access_key_id=O\naws_secret_access_key=s\n");
  EXPECT_EQ(credentials_of(fetch()).access_key_id, "D");
  environment_.set("AWS_PROFILE", "v");
  EXPECT_EQ(credentials_of(fetch()).access_key_id, "V");
  EXPECT_EQ(credentials_of(fetch("o")).access_key_id, "O");
}

TEST_F(SharedFilesSourceTest, ConfigSectionNeedsTheWordProfileUnlessDefault) {
  files_.set("/home/u/.aws/config",
             "[a]\naws_access_key_id=A\naws_secret_access_key=s\n[default]\naws_access_key_id=D\naws_secret_access_key=s\n");
  EXPECT_EQ(credentials_of(fetch()).access_key_id, "D");
  EXPECT_THAT(error("a"), StartsWith("profile \"a\" is not in"));
  files_.set("/home/u/.aws/config", "[profile default]\naws_access_key_id=P\naws_secret_access_key=s\n[default]\naws_access_key_id=D\n");
  EXPECT_EQ(credentials_of(fetch()).access_key_id, "P");
}

TEST_F(SharedFilesSourceTest, FilesByVariableWithTilde) {
  environment_.set("AWS_SHARED_CREDENTIALS_FILE", "~/keys");
  environment_.set("AWS_CONFIG_FILE", "/etc/aws");
  files_.set("/home/u/keys", "[default]\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
  EXPECT_EQ(credentials_of(fetch()).access_key_id, "AKIA");
  EXPECT_EQ(error("x"), "profile \"x\" is not in /home/u/keys or /etc/aws; check the profile option or AWS_PROFILE");
}

TEST_F(SharedFilesSourceTest, NothingThereGoesOn) {
  EXPECT_EQ(not_here_of(fetch()), "there is no profile \"default\" in /home/u/.aws/credentials or /home/u/.aws/config");
  environment_.unset("HOME");
  EXPECT_EQ(not_here_of(fetch()), "there is no profile \"default\" in any file, as HOME is not set");
}

TEST_F(SharedFilesSourceTest, ProfileWithoutKeysGoesOn) {
  files_.set("/home/u/.aws/config", "[profile a]\nregion=eu-west-1\n");
  EXPECT_THAT(not_here_of(fetch("a")), HasSubstr("profile \"a\" has no keys in"));
}

TEST_F(SharedFilesSourceTest, AskedForByNameAndMissingIsAnError) {
  environment_.set("AWS_PROFILE", "resumes");
  EXPECT_EQ(error(),
            "profile \"resumes\" is not in /home/u/.aws/credentials or /home/u/.aws/config; check the profile option or AWS_PROFILE");
}

TEST_F(SharedFilesSourceTest, HalfAKeyIsAnError) {
  files_.set("/home/u/.aws/credentials", "[default]\naws_access_key_id=AKIA\n[b]\naws_secret_access_key=geheim\n");
  EXPECT_EQ(error(), "profile default: the secret access key is missing");
  EXPECT_EQ(error("b"), "profile b: the access key id is missing");
}

TEST_F(SharedFilesSourceTest, WhatNeedsAnotherServiceIsRefusedByName) {
  for (const std::string setting :
       {"role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "login_session", "credential_process"}) {
    files_.set("/home/u/.aws/config", "[profile a]\n" + setting + " = x\nsource_profile = b\n");
    EXPECT_THAT(error("a"), StartsWith("not built yet: profile \"a\" uses " + setting + "; "));
  }
}

TEST_F(SharedFilesSourceTest, RoleComesBeforeKeysAndKeysBeforeProcess) {
  files_.set("/home/u/.aws/credentials", "[a]\naws_access_key_id=A\naws_secret_access_key=geheim\n");
  files_.set("/home/u/.aws/config", "[profile a]\nrole_arn = x\nsource_profile = a\n");
  EXPECT_THAT(error("a"), HasSubstr("uses role_arn"));
  files_.set("/home/u/.aws/config", "[profile a]\ncredential_process = x\n");
  EXPECT_EQ(credentials_of(fetch("a")).access_key_id, "A");
}

TEST_F(SharedFilesSourceTest, BrokenFileNamesFileAndLine) {
  files_.set("/home/u/.aws/credentials", "[default]\ngeheim\n");
  EXPECT_THAT(error(), StartsWith("/home/u/.aws/credentials:2: "));
}

TEST_F(SharedFilesSourceTest, UnreadableFileIsAnErrorNotAnEmptyOne) {
  files_.set_error("/home/u/.aws/credentials", Errc::denied);
  EXPECT_THAT(error(), AllOf(HasSubstr("cannot read"), HasSubstr("/home/u/.aws/credentials")));
}

}  // namespace
}  // namespace prefixfs::aws
