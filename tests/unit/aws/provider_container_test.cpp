#include "provider_container.h"

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ContainerSourceTest : public ::testing::Test {
 protected:
  Result<CredentialsSource::Answer> fetch() { return source_.fetch(no_limit()); }
  std::string error(Errc code = Errc::credentials) {
    const Error seen = error_of(fetch());
    EXPECT_EQ(to_string(seen.code), to_string(code)) << seen.what;
    EXPECT_THAT(seen.what, Not(HasSubstr("geheim")));
    return seen.what;
  }

  FakeClock clock_;
  MetadataServer server_{clock_};
  FakeEnvironment environment_;
  FakeFileReader files_;
  std::unique_ptr<http::Engine> http_ = http::make_curl_engine({});
  ContainerSource source_{environment_, files_, *http_, server_.url()};
};

TEST_F(ContainerSourceTest, NotSetUp) {
  EXPECT_EQ(not_here_of(fetch()), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
}

TEST_F(ContainerSourceTest, RelativeUriGoesToTheEcsEndpoint) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", MetadataServer::kContainerPath);
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/not-asked");
  server_.issue("task", 1h);
  const Credentials credentials = credentials_of(fetch());
  EXPECT_EQ(credentials.access_key_id, "ASIAtask0000000KEY");
  EXPECT_EQ(credentials.secret_access_key, "secret-task");
  EXPECT_EQ(credentials.session_token, "session-task");
  EXPECT_EQ(credentials.expires, clock_.now() + 1h);
  EXPECT_EQ(credentials.source, "ECS task role");
  EXPECT_EQ(server_.count("GET /v2/credentials/task-1"), 1);
}

TEST_F(ContainerSourceTest, RelativeUriMustBeAPath) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example/x");
  EXPECT_THAT(error(), HasSubstr("does not begin with \"/\""));
}

TEST_F(ContainerSourceTest, FullUriWithTokenFromTheEnvironment) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  server_.change([](MetadataServer::Settings& settings) { settings.authorization = "geheim"; });
  EXPECT_THAT(error(), AllOf(HasSubstr("http://127.0.0.1:"), HasSubstr("refused the authorization token (status 403)")));
  environment_.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "geheim");
  EXPECT_EQ(credentials_of(fetch()).source, "container role");
}

TEST_F(ContainerSourceTest, TokenFileWinsAndIsReadEachTime) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  environment_.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from-variable");
  environment_.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token");
  server_.change([](MetadataServer::Settings& settings) { settings.authorization = "geheim-1"; });
  files_.set("/var/run/token", "geheim-1\n");
  credentials_of(fetch());
  server_.change([](MetadataServer::Settings& settings) { settings.authorization = "geheim-2"; });
  EXPECT_THAT(error(), HasSubstr("refused the authorization token"));
  files_.set("/var/run/token", "geheim-2");
  credentials_of(fetch());
}

TEST_F(ContainerSourceTest, TokenFileThatIsMissingOrBroken) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  environment_.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token");
  EXPECT_THAT(error(), AllOf(HasSubstr("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: cannot read"), HasSubstr("/var/run/token")));
  files_.set("/var/run/token", "geheim\r\nx-other: 1");
  EXPECT_EQ(error(), "the container authorization token holds line breaks or control characters");
  EXPECT_EQ(server_.count("GET /v2/credentials/task-1"), 0);
}

TEST_F(ContainerSourceTest, MalformedAnswer) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  server_.change([](MetadataServer::Settings& settings) { settings.document = "<html>geheim"; });
  EXPECT_THAT(error(), HasSubstr("the answer is not a JSON object"));
}

TEST_F(ContainerSourceTest, ServerErrorIsTriedTwice) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  server_.change([](MetadataServer::Settings& settings) { settings.fail_with_status = 500; });
  EXPECT_THAT(error(Errc::unavailable), HasSubstr("answered status 500 instead of credentials"));
  EXPECT_EQ(server_.count("GET /v2/credentials/task-1"), 2);
}

TEST_F(ContainerSourceTest, NobodyListens) {
  const std::string origin = "http://127.0.0.1:" + std::to_string(test::free_port());
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", origin + "/x");
  EXPECT_EQ(error(Errc::unavailable), "connection to " + origin + " refused");
}

TEST_F(ContainerSourceTest, CancelIsNotTurnedIntoAnotherError) {
  environment_.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server_.container_url());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(source_.fetch({.deadline = SteadyTime::max(), .cancel = stop.get_token()})).code, Errc::cancelled);
}

TEST(ContainerUrl, AllowedHosts) {
  for (const std::string url : {"https://anywhere.example/x", "http://127.0.0.1/x", "http://127.9.9.9:80/x", "http://localhost:1338/x",
                                "http://[::1]:80/x", "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials",
                                "http://[fd00:ec2::23]/v1/credentials", "http://[fd00:0ec2:0:0::23]/x"}) {
    EXPECT_TRUE(check_container_url(url)) << url;
  }
}

TEST(ContainerUrl, RefusedHosts) {
  for (const std::string url :
       {"http://10.0.0.1/x", "http://169.254.170.3/x", "http://169.254.169.254/x", "http://evil.example/x",
        "http://127.0.0.1.evil.example/x", "http://127.0.0.1@evil.example/x", "http://[fd00:ec2::24]/x", "http://[::1",
        "ftp://127.0.0.1/x", "127.0.0.1/x", "http:///x", "http://", "http://evil.example?@127.0.0.1/"}) {
    const auto checked = check_container_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, Errc::credentials);
    EXPECT_THAT(checked.error().what, ::testing::StartsWith("AWS_CONTAINER_CREDENTIALS_FULL_URI "));
  }
}

}  // namespace
}  // namespace prefixfs::aws
