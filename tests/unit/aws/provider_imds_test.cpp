#include "provider_imds.h"

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kPutToken = "PUT /latest/api/token";
constexpr const char* kGetRole = "GET /latest/meta-data/iam/security-credentials/";
constexpr const char* kGetKeys = "GET /latest/meta-data/iam/security-credentials/app";

class ImdsSourceTest : public ::testing::Test {
 protected:
  Result<CredentialsSource::Answer> fetch() { return source_.fetch(no_limit()); }
  std::string error(Errc code = Errc::credentials) {
    const Error seen = error_of(fetch());
    EXPECT_EQ(to_string(seen.code), to_string(code)) << seen.what;
    return seen.what;
  }
  using Settings = MetadataServer::Settings;

  FakeClock clock_;
  MetadataServer server_{clock_};
  FakeEnvironment environment_{{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.url() + "/"}}};
  FakeFileReader files_;
  RecordingLog log_;
  std::unique_ptr<http::Engine> http_ = http::make_curl_engine({});
  ImdsSource source_{environment_, files_, clock_, *http_};
};

TEST_F(ImdsSourceTest, RoleByVersion2) {
  server_.issue("one", 6h);
  const Credentials credentials = credentials_of(fetch());
  EXPECT_EQ(credentials.access_key_id, "ASIAone0000000KEY");
  EXPECT_EQ(credentials.session_token, "session-one");
  EXPECT_EQ(credentials.expires, clock_.now() + 6h);
  EXPECT_EQ(credentials.source, "instance role app (IMDSv2)");
}

TEST_F(ImdsSourceTest, TokenIsUsedAgainUntilItIsOld) {
  credentials_of(fetch());
  credentials_of(fetch());
  EXPECT_EQ(server_.count(kPutToken), 1);
  EXPECT_EQ(server_.count(kGetKeys), 2);
  clock_.advance(6h);
  credentials_of(fetch());
  EXPECT_EQ(server_.count(kPutToken), 2);
  EXPECT_EQ(server_.count(kGetRole), 3) << "no request with the expired token";
}

TEST_F(ImdsSourceTest, ForgottenTokenIsReplacedOnce) {
  credentials_of(fetch());
  server_.forget_tokens();
  credentials_of(fetch());
  EXPECT_EQ(server_.count(kPutToken), 2);
  EXPECT_EQ(server_.count(kGetRole), 3);
}

TEST_F(ImdsSourceTest, EndlessRefusalIsAnError) {
  server_.change([](Settings& settings) { settings.fail_with_status = 401; });
  EXPECT_THAT(error(), HasSubstr("gives no usable session token (status 401)"));
  EXPECT_EQ(server_.count(kPutToken), 1);
}

TEST_F(ImdsSourceTest, FallsBackToVersion1WhereThereAreNoTokens) {
  for (const int status : {403, 404, 405}) {
    server_.change([&](Settings& settings) {
      settings.token_put_status = status;
      settings.token_required = false;
    });
    EXPECT_EQ(credentials_of(ImdsSource(environment_, files_, clock_, *http_).fetch(no_limit())).source, "instance role app (IMDSv1)");
  }
}

TEST_F(ImdsSourceTest, Version1CanBeForbidden) {
  environment_.set("AWS_EC2_METADATA_V1_DISABLED", "true");
  server_.change([](Settings& settings) {
    settings.token_put_status = 404;
    settings.token_required = false;
  });
  EXPECT_THAT(error(), HasSubstr("AWS_EC2_METADATA_V1_DISABLED forbids"));
  EXPECT_EQ(server_.count(kGetRole), 0);
}

TEST_F(ImdsSourceTest, NoFallbackForOtherAnswers) {
  server_.change([](Settings& settings) {
    settings.token_put_status = 400;
    settings.token_required = false;
  });
  EXPECT_THAT(error(), HasSubstr("gives no usable session token (status 400)"));
  EXPECT_EQ(server_.count(kGetRole), 0);
}

TEST_F(ImdsSourceTest, Version1RefusedByTheService) {
  server_.change([](Settings& settings) { settings.token_put_status = 403; });
  EXPECT_THAT(error(), HasSubstr("answered status 401 to /latest/meta-data/iam/security-credentials/"));
}

TEST_F(ImdsSourceTest, SilenceMentionsTheHopLimit) {
  server_.change([](Settings& settings) { settings.silent = true; });
  EXPECT_THAT(error(Errc::unavailable), AllOf(HasSubstr("no answer from " + server_.url() + " within 1 s"), HasSubstr("hop limit")));
  EXPECT_EQ(server_.count(kPutToken), 1);
  EXPECT_EQ(server_.count(kGetRole), 0) << "a silent service is no reason for version 1";
}

TEST_F(ImdsSourceTest, ServerErrorsAreTriedAgainAsOftenAsToldTo) {
  environment_.set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3");
  server_.change([](Settings& settings) { settings.fail_with_status = 503; });
  EXPECT_THAT(error(Errc::unavailable), HasSubstr("answered status 503"));
  EXPECT_EQ(server_.count(kPutToken), 3);
}

TEST_F(ImdsSourceTest, ABusyServiceAnswersLater) {
  server_.change([](Settings& settings) { settings.fail_with_status = 429; });
  EXPECT_THAT(error(Errc::unavailable), HasSubstr("answered status 429"));
}

/// Answers like a network without the service.
class NoService final : public http::Engine {
 public:
  Result<http::Response> perform(const http::Request&, http::ResponseSink*, const CallContext&) override {
    return fail(Errc::unavailable, "no route to http://169.254.169.254:80");
  }
};

TEST(ImdsWithoutAnAnswer, IsWaitedForOnAnInstanceOnly) {
  FakeClock clock;
  NoService http;
  const FakeEnvironment environment;
  const auto code_on = [&](FakeFileReader::Files files) {
    const FakeFileReader reader(std::move(files));
    const Error seen = error_of(ImdsSource(environment, reader, clock, http).fetch({}));
    EXPECT_THAT(seen.what, HasSubstr("not on EC2?"));
    return std::string(to_string(seen.code));
  };
  EXPECT_EQ(code_on({}), "credentials");  // a laptop: told at once
  EXPECT_EQ(code_on({{"/sys/class/dmi/id/sys_vendor", "LENOVO\n"}, {"/sys/class/dmi/id/bios_version", "N2\n"}}), "credentials");
  EXPECT_EQ(code_on({{"/sys/class/dmi/id/sys_vendor", "Amazon EC2\n"}}), "unavailable");
  EXPECT_EQ(code_on({{"/sys/class/dmi/id/sys_vendor", "Xen\n"}, {"/sys/class/dmi/id/bios_version", "4.11.amazon\n"}}), "unavailable");
}

TEST_F(ImdsSourceTest, NoRole) {
  server_.change([](Settings& settings) { settings.role = ""; });
  EXPECT_EQ(not_here_of(fetch()), "no role is attached to this instance");
}

TEST_F(ImdsSourceTest, RoleNameThatIsNone) {
  server_.change([](Settings& settings) { settings.role = "../../user-data"; });
  EXPECT_EQ(error(), "the name of the role is not valid");
}

TEST_F(ImdsSourceTest, Disabled) {
  environment_.set("AWS_EC2_METADATA_DISABLED", "TRUE");
  EXPECT_EQ(not_here_of(fetch()), "AWS_EC2_METADATA_DISABLED is true");
  EXPECT_EQ(server_.count(kPutToken), 0);
}

TEST_F(ImdsSourceTest, MalformedDocuments) {
  for (const std::string document : {"{", "null", R"({"Code":"Failed"})", R"({"AccessKeyId":"A","SecretAccessKey":"s"})"}) {
    server_.change([&](Settings& settings) { settings.document = document; });
    EXPECT_THAT(error(), StartsWith("role app: ")) << document;
  }
}

TEST_F(ImdsSourceTest, Region) {
  server_.change([](Settings& settings) { settings.region = "ap-southeast-2"; });
  const auto region = instance_region({environment_, files_, clock_, *http_, log_}, no_limit());
  ASSERT_TRUE(region) << region.error().what;
  EXPECT_EQ(*region, "ap-southeast-2");
}

TEST_F(ImdsSourceTest, RegionErrorsAreUnavailable) {
  const auto failure = [&] {
    const auto region = instance_region({environment_, files_, clock_, *http_, log_}, no_limit());
    EXPECT_FALSE(region);
    EXPECT_TRUE(region || region.error().code == Errc::unavailable);
    return region ? "" : region.error().what;
  };
  server_.change([](Settings& settings) { settings.region = "<html>"; });
  EXPECT_THAT(failure(), HasSubstr("not the name of a region"));
  server_.change([](Settings& settings) { settings.fail_with_status = 500; });
  EXPECT_THAT(failure(), HasSubstr("status 500"));
  environment_.set("AWS_EC2_METADATA_DISABLED", "true");
  EXPECT_THAT(failure(), HasSubstr("AWS_EC2_METADATA_DISABLED"));
}

TEST(ImdsSettings, Defaults) {
  const auto settings = read_imds_settings(FakeEnvironment());
  ASSERT_TRUE(settings);
  EXPECT_FALSE(settings->disabled);
  EXPECT_FALSE(settings->v1_disabled);
  EXPECT_EQ(settings->endpoint, "http://169.254.169.254");
  EXPECT_EQ(settings->timeout, 1s);
  EXPECT_EQ(settings->attempts, 1);
}

TEST(ImdsSettings, FromVariables) {
  const FakeEnvironment environment({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"},
                                     {"AWS_METADATA_SERVICE_TIMEOUT", "5"},
                                     {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "4"}});
  const auto settings = read_imds_settings(environment);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->endpoint, "http://[fd00:ec2::254]");
  EXPECT_EQ(settings->timeout, 5s);
  EXPECT_EQ(settings->attempts, 4);
}

TEST(ImdsSettings, WrongValuesNameTheVariable) {
  const std::vector<std::pair<std::string, std::string>> wrong = {{"AWS_METADATA_SERVICE_TIMEOUT", "soon"},
                                                                  {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
                                                                  {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1x"},
                                                                  {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254"},
                                                                  {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"}};
  for (const auto& [name, value] : wrong) {
    const auto settings = read_imds_settings(FakeEnvironment({{name, value}}));
    ASSERT_FALSE(settings) << name << "=" << value;
    EXPECT_EQ(settings.error().code, Errc::invalid);
    EXPECT_THAT(settings.error().what, StartsWith(name));
  }
}

}  // namespace
}  // namespace prefixfs::aws
