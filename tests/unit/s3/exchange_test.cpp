// What the client puts right by itself: region, clock, credentials; and what it reads behind a HEAD.

#include "exchange.h"

#include <gmock/gmock.h>

#include "prefixfs/base/time_format.h"
#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

using test::answer;
using test::ClientBench;
using test::code_of;
using test::error_xml;
using test::SentRequest;
using test::why;
using testing::HasSubstr;
using testing::Not;

namespace {

http::Response empty_list() { return answer(200, {}, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"); }

http::Response object_head() { return answer(200, {{"etag", "\"e\""}, {"content-length", "3"}}); }

std::string region_signed_for(const SentRequest& sent) {
  const std::string authorization = sent.header("authorization");
  // .../20261121/REGION/s3/aws4_request
  const std::size_t end = authorization.find("/s3/aws4_request");
  const std::size_t begin = authorization.rfind('/', end - 1) + 1;
  return authorization.substr(begin, end - begin);
}

}  // namespace

TEST(Exchange, LearnsTheRegionFromTheHeaderAndRemembersIt) {
  ClientBench bench("");
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (region_signed_for(sent) == "eu-west-1") {
      return empty_list();
    }
    return answer(301, {{"x-amz-bucket-region", "eu-west-1"}},
                  error_xml("PermanentRedirect", "m", "<Endpoint>bucket.s3.evil.example</Endpoint>"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  ASSERT_EQ(bench.engine.sent.size(), 2U);
  EXPECT_THAT(bench.engine.sent[0].request.url, HasSubstr("https://bucket.s3.us-east-1.amazonaws.com/"));
  EXPECT_THAT(bench.engine.sent[1].request.url, HasSubstr("https://bucket.s3.eu-west-1.amazonaws.com/"));
  EXPECT_EQ(bench.log.count(LogLevel::warn), 1);
  EXPECT_THAT(bench.log.lines.back().second, HasSubstr("bucket bucket is in eu-west-1, not us-east-1"));
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);  // no detour any more
  bench.store.reset();                      // a new client with the same memory starts right
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 4U);
}

TEST(Exchange, LearnsTheRegionFromTheDocument) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (region_signed_for(sent) == "garage") {
      return empty_list();
    }
    return answer(400, {}, error_xml("AuthorizationHeaderMalformed", "m", "<Region>garage</Region>"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 2U);
}

TEST(Exchange, AsksForTheRegionAnonymouslyWhereNobodyTellsIt) {
  ClientBench bench("");
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      EXPECT_EQ(sent.header("authorization"), "");
      return answer(403, {{"x-amz-bucket-region", "ap-south-1"}});
    }
    if (region_signed_for(sent) == "ap-south-1") {
      return empty_list();
    }
    return answer(301, {}, error_xml("PermanentRedirect"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);
}

TEST(Exchange, ARegionThatIsNoneIsNotBelieved) {
  ClientBench bench("");
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return answer(301, {{"x-amz-bucket-region", "evil.example/"}, {"location", "https://evil.example/"}}, error_xml("PermanentRedirect"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "wrong_region");
  for (const SentRequest& sent : bench.engine.sent) {
    EXPECT_THAT(sent.request.url, HasSubstr("https://bucket.s3.us-east-1.amazonaws.com/"));
  }
}

TEST(Exchange, ARegionThatKeepsChangingEnds) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest&, int number) -> Result<http::Response> {
    return answer(301, {{"x-amz-bucket-region", "r-" + std::to_string(number)}}, error_xml("PermanentRedirect"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "wrong_region");
  EXPECT_EQ(bench.engine.sent.size(), 2U);
}

TEST(Exchange, SignsWithS3sTimeAfterASkew) {
  ClientBench bench;
  const WallTime theirs = bench.clock.now() + std::chrono::hours(3);
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.header("x-amz-date") == format_iso8601_basic(theirs)) {
      return empty_list();
    }
    return answer(403, {{"date", format_http_date(theirs)}}, error_xml("RequestTimeTooSkewed"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 2U);
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.engine.sent.size(), 3U);
  EXPECT_THAT(bench.log.lines.back().second, HasSubstr("10800 s off"));
}

TEST(Exchange, ASkewThatAnotherRequestHasFoundMeanwhileIsPutRightToo) {
  ClientBench bench;
  const WallTime theirs = bench.clock.now() + std::chrono::hours(3);
  bool first = true;
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    if (std::exchange(first, false)) {
      EXPECT_EQ(code_of(bench.client().list({}, {})), "") << "which corrects the clock";
    }
    if (sent.header("x-amz-date") == format_iso8601_basic(theirs)) {
      return empty_list();
    }
    return answer(403, {{"date", format_http_date(theirs)}}, error_xml("RequestTimeTooSkewed"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
}

TEST(Exchange, SeesASkewBehindAHeadsPlain403) {
  ClientBench bench;
  const WallTime theirs = bench.clock.now() - std::chrono::hours(1);
  bench.engine.handler = [&](const SentRequest& sent, int) -> Result<http::Response> {
    return sent.header("x-amz-date") == format_iso8601_basic(theirs) ? object_head() : answer(403, {{"date", format_http_date(theirs)}});
  };
  const auto info = bench.client().head(Key("a"), {});
  EXPECT_TRUE(info) << why(info);
  // With the right time a 403 is a 403.
  bench.engine.handler = [&](const SentRequest&, int) -> Result<http::Response> {
    return answer(403, {{"date", format_http_date(theirs)}});
  };
  const auto denied = bench.client().head(Key("a"), {});
  EXPECT_EQ(code_of(denied), "denied");
  EXPECT_EQ(denied.error().origin.s3_code, "");
  EXPECT_EQ(denied.error().origin.http_status, 403);
}

TEST(Exchange, AsksForNewCredentialsOnce) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.header("authorization").find("AKIDEXAMPLE2/") != std::string::npos) {
      return empty_list();
    }
    return answer(400, {}, error_xml("ExpiredToken"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(bench.credentials.refusals, 1);
  for (const auto& [level, line] : bench.log.lines) {
    EXPECT_THAT(line, Not(HasSubstr("verysecret")));
  }
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return answer(400, {}, error_xml("ExpiredToken")); };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "credentials");
  EXPECT_EQ(bench.credentials.refusals, 2);
}

TEST(Exchange, DoesNotRepeatWithTheSameCredentials) {
  ClientBench bench("http://s3.test:9000", false);
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return answer(403, {}, error_xml("InvalidAccessKeyId")); };
  const auto list = bench.client().list({}, {});
  EXPECT_EQ(code_of(list), "credentials");
  EXPECT_THAT(list.error().what, Not(HasSubstr("verysecret")));
  EXPECT_EQ(bench.engine.sent.size(), 1U);
}

TEST(Exchange, ReadsTheCodeBehindAHead) {
  ClientBench bench("http://s3.test:9000", false);
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (sent.request.method == "HEAD") {
      return answer(400);
    }
    EXPECT_EQ(sent.header("range"), "bytes=0-0");
    return answer(400, {{"x-amz-request-id", "R"}}, error_xml("ExpiredToken"));
  };
  const auto info = bench.client().head(Key("a"), {});
  EXPECT_EQ(code_of(info), "credentials");
  EXPECT_EQ(info.error().origin.s3_code, "ExpiredToken");
  EXPECT_EQ(info.error().origin.operation, "HeadObject");
  EXPECT_EQ(info.error().origin.request_id, "R");
  EXPECT_EQ(bench.engine.sent.size(), 2U);
}

TEST(Exchange, AHeadInTheWrongRegionIsSentAgain) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    if (region_signed_for(sent) == "eu-west-1") {
      return object_head();
    }
    return sent.request.method == "HEAD" ? answer(400)
                                         : answer(400, {}, error_xml("AuthorizationHeaderMalformed", "m", "<Region>eu-west-1</Region>"));
  };
  const auto info = bench.client().head(Key("a"), {});
  EXPECT_TRUE(info) << why(info);
}

TEST(Exchange, NetworkErrorsSayWhatTheyWereAbout) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return fail(Errc::unavailable, "connection to s3.test refused");
  };
  const auto info = bench.client().head(Key("a/b"), {});
  EXPECT_EQ(code_of(info), "unavailable");
  EXPECT_EQ(info.error().what, "HeadObject of s3://bucket/a/b: connection to s3.test refused");
  EXPECT_EQ(info.error().origin.operation, "HeadObject");
  EXPECT_EQ(info.error().origin.key, "a/b");
  EXPECT_EQ(info.error().origin.http_status, 0);
}

TEST(Exchange, WrongOptionsAreToldAtTheFirstCall) {
  for (const auto& change : std::vector<std::function<void(ClientOptions&)>>{
           [](ClientOptions& o) { o.endpoint = "nonsense"; }, [](ClientOptions& o) { o.bucket = "a/b"; },
           [](ClientOptions& o) { o.region = "evil.example"; }, [](ClientOptions& o) { o.sse = "rot13"; }}) {
    ClientBench bench;
    change(bench.options);
    EXPECT_EQ(code_of(check_options(bench.options)), "invalid");
    EXPECT_EQ(code_of(bench.client().head(Key("a"), {})), "invalid");
    EXPECT_TRUE(bench.engine.sent.empty());
  }
}

TEST(Exchange, HashesThePayloadOverHttpOnly) {
  const auto hash_sent = [](const std::string& endpoint) {
    ClientBench bench(endpoint);
    bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return answer(200, {{"etag", "\"e\""}}); };
    EXPECT_EQ(code_of(test::put_text(bench.client(), Key("a"), "abc")), "");
    return bench.engine.sent.at(0).header("x-amz-content-sha256");
  };
  EXPECT_EQ(hash_sent("http://s3.test:9000"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_sent("https://s3.test"), "UNSIGNED-PAYLOAD");
}

TEST(Exchange, OneAttemptGetsAThirdOfWhatIsLeft) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return object_head(); };
  const auto timeout_within = [&](std::chrono::seconds left) {
    EXPECT_EQ(code_of(bench.client().head(Key("a"), {.deadline = bench.clock.steady() + left, .cancel = {}})), "");
    return bench.engine.sent.back().request.first_byte_timeout;
  };
  using std::chrono::seconds;
  EXPECT_EQ(timeout_within(seconds(9)), seconds(3));
  EXPECT_EQ(timeout_within(seconds(4)), seconds(2));
  EXPECT_EQ(timeout_within(seconds(300)), seconds(10));
  const CallContext context{.deadline = bench.clock.steady() + seconds(9), .cancel = {}};
  const test::TextSource large(std::string(2U << 20, 'x'));
  EXPECT_EQ(code_of(bench.client().upload_part(Key("a"), "id", 1, large, context)), "");
  EXPECT_EQ(bench.engine.sent.back().request.first_byte_timeout, seconds(30));
}

TEST(Exchange, AHeads400WithAnotherRegionIsSentAgainThere) {
  ClientBench bench("");
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    return region_signed_for(sent) == "eu-west-1" ? object_head() : answer(400, {{"x-amz-bucket-region", "eu-west-1"}});
  };
  const auto info = bench.client().head(Key("a"), {});
  EXPECT_TRUE(info) << why(info);
  EXPECT_EQ(bench.engine.sent.size(), 2U);
}

TEST(Exchange, SaysThatARequestWasSentTwice) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    http::Response response = answer(412, {}, error_xml("PreconditionFailed"));
    response.attempts = sent.request.method == "PUT" ? 2 : 1;
    return sent.request.method == "HEAD" ? answer(404) : response;
  };
  const auto put = test::put_text(bench.client(), Key("a"), "x", WriteCondition::if_absent());
  EXPECT_EQ(code_of(put), "conflict");
  EXPECT_TRUE(put.error().origin.sent_twice);
}

TEST(Exchange, AFixedAwsHostInAnotherRegionIsToldToBeChanged) {
  ClientBench bench("https://vpce-1a2b.s3.us-east-1.vpce.amazonaws.com");
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return answer(301, {{"x-amz-bucket-region", "eu-west-1"}}, error_xml("PermanentRedirect"));
  };
  for (int i = 0; i < 2; ++i) {
    const auto list = bench.client().list({}, {});
    EXPECT_EQ(code_of(list), "wrong_region");
    EXPECT_THAT(list.error().what, HasSubstr("endpoint https://vpce-1a2b.s3.us-east-1.vpce.amazonaws.com does not serve bucket bucket, which "
                                             "is in eu-west-1; change endpoint="));
  }
  EXPECT_EQ(bench.engine.sent.size(), 2U);
}

TEST(Exchange, TheVariantOfTheHostStaysWhenTheRegionMoves) {
  ClientBench bench("");
  bench.options.fips = true;
  bench.options.dualstack = true;
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    return region_signed_for(sent) == "us-west-2"
               ? empty_list()
               : answer(301, {{"x-amz-bucket-region", "us-west-2"}}, error_xml("PermanentRedirect"));
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_THAT(bench.engine.sent.back().request.url, HasSubstr("https://bucket.s3-fips.dualstack.us-west-2.amazonaws.com/"));
}

TEST(Exchange, AsksForTheRegionOfTheHostUntilS3Answers) {
  ClientBench bench("");
  int asked = 0;
  std::optional<std::string> told;
  bench.options.host_region = [&](const CallContext&) -> Result<std::string> {
    ++asked;
    return told ? Result<std::string>(*told) : fail(Errc::unavailable, "not yet");
  };
  bench.engine.handler = [](const SentRequest& sent, int) -> Result<http::Response> {
    return region_signed_for(sent) == "eu-west-1" ? Result<http::Response>(empty_list()) : fail(Errc::unavailable, "no way to us-east-1");
  };
  EXPECT_EQ(code_of(bench.client().list({}, {})), "unavailable");
  EXPECT_EQ(code_of(bench.client().list({}, {})), "unavailable");
  EXPECT_EQ(asked, 1);  // not with every request
  bench.clock.advance(std::chrono::seconds(6));
  told = "eu-west-1";
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(asked, 2);
  bench.clock.advance(std::chrono::seconds(6));
  EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  EXPECT_EQ(asked, 2);
}

TEST(Exchange, TheHostsRegionIsNotAskedWhereAnythingElseTellsOne) {
  for (const auto& change : std::vector<std::function<void(ClientBench&)>>{
           [](ClientBench& b) { b.options.region = "eu-west-1"; }, [](ClientBench& b) { b.options.endpoint = "http://s3.test:9000"; },
           [](ClientBench& b) { b.options.endpoint = "https://s3.eu-west-1.amazonaws.com"; },
           [](ClientBench& b) { b.memory->remember("region aws bucket", "eu-west-1"); }}) {
    ClientBench bench("");
    change(bench);
    bench.options.host_region = [](const CallContext&) -> Result<std::string> {
      ADD_FAILURE() << "asked";
      return fail(Errc::unavailable, "");
    };
    bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return empty_list(); };
    EXPECT_EQ(code_of(bench.client().list({}, {})), "");
  }
}

TEST(Exchange, WhereS3AnswersWithoutARegionOfTheHostItIsNotAskedAgain) {
  ClientBench bench("");
  int asked = 0;
  bench.options.host_region = [&](const CallContext&) -> Result<std::string> {
    ++asked;
    return fail(Errc::unavailable, "not on EC2");
  };
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> { return empty_list(); };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(code_of(bench.client().list({}, {})), "");
    bench.clock.advance(std::chrono::seconds(6));
  }
  EXPECT_EQ(asked, 1);
}

TEST(Exchange, ReadsRetryAfter) {
  ClientBench bench;
  bench.engine.handler = [](const SentRequest&, int) -> Result<http::Response> {
    return answer(503, {{"retry-after", "9"}}, error_xml("SlowDown"));
  };
  const auto list = bench.client().list({}, {});
  EXPECT_EQ(code_of(list), "throttled");
  EXPECT_EQ(list.error().origin.retry_after_seconds, 9);
}

}  // namespace prefixfs::s3
