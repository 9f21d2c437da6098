// The whole chain against emulated metadata services: precedence, rotation, boot.

#include <thread>

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DefaultChainTest : public ::testing::Test {
 protected:
  void start(const std::string& profile = "") { provider_ = make_default_chain({environment_, files_, clock_, *http_, log_}, profile); }
  std::string source() {
    const auto credentials = provider_->get({});
    return credentials ? credentials->source : "error: " + credentials.error().what;
  }
  void add_keys() {
    environment_.set("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT");
    environment_.set("AWS_SECRET_ACCESS_KEY", "geheim");
  }
  void add_profile() { files_.set("/h/.aws/credentials", "[default]\naws_access_key_id=AKIAPROFILE\naws_secret_access_key=geheim\n"); }
  void add_container() { environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url()); }
  ~DefaultChainTest() override {
    EXPECT_THAT(log_.text(), AllOf(Not(HasSubstr("geheim")), Not(HasSubstr("secret-")), Not(HasSubstr("session-"))));
  }

  FakeClock clock_;
  MetadataServer server_{clock_};
  FakeEnvironment environment_{{{"HOME", "/h"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.url()}}};
  FakeFileReader files_;
  RecordingLog log_;
  std::unique_ptr<http::Engine> http_ = http::make_curl_engine({});
  std::unique_ptr<CredentialsProvider> provider_;
};

TEST_F(DefaultChainTest, PrecedenceOfSources) {
  start();
  EXPECT_EQ(source(), "instance role app (IMDSv2)");
  add_container();
  start();
  EXPECT_EQ(source(), "container role");
  add_profile();
  start();
  EXPECT_EQ(source(), "profile default");
  add_keys();
  start();
  EXPECT_EQ(source(), "environment");
}

TEST_F(DefaultChainTest, ProfileByOptionWinsOverTheEnvironment) {
  add_keys();
  add_profile();
  start("default");
  EXPECT_EQ(source(), "profile default");
}

TEST_F(DefaultChainTest, KeysInTheEnvironmentWinOverAwsProfile) {
  add_keys();
  add_profile();
  environment_.set("AWS_PROFILE", "default");
  start();
  EXPECT_EQ(source(), "environment");
}

TEST_F(DefaultChainTest, MissingNamedProfileIsNoReasonToGoOn) {
  start("resumes");
  EXPECT_THAT(source(), HasSubstr("shared files: profile \"resumes\" is not in /h/.aws/credentials or /h/.aws/config"));
  EXPECT_EQ(server_.count("PUT /latest/api/token"), 0);
}

TEST_F(DefaultChainTest, WebIdentityDoesNotFallThroughToTheNodesRole) {
  environment_.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token");
  environment_.set("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod");
  start();
  EXPECT_THAT(source(), HasSubstr("web identity: not built yet"));
}

TEST_F(DefaultChainTest, TheErrorListsAllThatWasTried) {
  server_.change([](MetadataServer::Settings& settings) { settings.role = ""; });
  start();
  EXPECT_EQ(source(),
            "error: no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; "
            "shared files: there is no profile \"default\" in /h/.aws/credentials or /h/.aws/config; "
            "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; "
            "instance metadata: no role is attached to this instance");
}

TEST_F(DefaultChainTest, InstanceRoleRotatesBeforeItExpires) {
  server_.issue("one", 1h);
  start();
  EXPECT_EQ(provider_->get({})->access_key_id, "ASIAone0000000KEY");
  server_.issue("two", 2h);
  clock_.advance(56min);
  const auto rotated = provider_->get({});
  ASSERT_TRUE(rotated) << rotated.error().what;
  EXPECT_EQ(rotated->access_key_id, "ASIAtwo0000000KEY");
  EXPECT_EQ(rotated->secret_access_key, "secret-two");
}

TEST_F(DefaultChainTest, RefusedKeysInAFileAreReadAgain) {
  add_profile();
  start();
  const auto old = provider_->get({});
  ASSERT_TRUE(old);
  files_.set("/h/.aws/credentials", "[default]\naws_access_key_id=AKIAROTATED\naws_secret_access_key=geheim2\n");
  EXPECT_EQ(provider_->get({})->access_key_id, "AKIAPROFILE");
  provider_->refused(*old);
  EXPECT_EQ(provider_->get({})->access_key_id, "AKIAROTATED");
}

TEST_F(DefaultChainTest, BootBeforeTheMetadataServiceIsUp) {
  server_.change([](MetadataServer::Settings& settings) { settings.fail_with_status = 503; });
  start();
  const auto first = provider_->get({});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Errc::unavailable);
  EXPECT_THAT(first.error().what, HasSubstr("answered status 503"));
  server_.change([](MetadataServer::Settings& settings) { settings.fail_with_status = 0; });
  clock_.advance(1s);
  EXPECT_EQ(source(), "instance role app (IMDSv2)");
}

TEST_F(DefaultChainTest, MetadataOutageKeepsTheOldKeys) {
  server_.issue("one", 1h);
  start();
  EXPECT_EQ(provider_->get({})->access_key_id, "ASIAone0000000KEY");
  server_.change([](MetadataServer::Settings& settings) { settings.fail_with_status = 500; });
  clock_.advance(58min);
  EXPECT_EQ(provider_->get({})->access_key_id, "ASIAone0000000KEY");
  EXPECT_THAT(log_.text(), HasSubstr("the old ones stay in use"));
}

}  // namespace
}  // namespace prefixfs::aws
