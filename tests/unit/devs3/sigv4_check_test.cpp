// Against the worked examples of the Amazon S3 API Reference, "Signature calculations for the authorization header: transferring payload
// in a single chunk" and "Authenticating requests: using query parameters".
#include "sigv4_check.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string authorization(std::string_view headers, std::string_view signature) {
  return fmt::format("Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                     "SignedHeaders={},Signature={}\r\n", headers, signature);
}

HttpRequest request(const std::string& line, const std::string& headers) {
  auto parsed = parse_head(line + " HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n" + headers + "\r\n");
  EXPECT_TRUE(parsed);
  return parsed.value_or(HttpRequest());
}

std::string common(std::string_view payload) {
  return fmt::format("x-amz-date: 20130524T000000Z\r\nx-amz-content-sha256: {}\r\n", payload);
}

Outcome<void> check(const HttpRequest& http, std::string_view secret = kSecret) {
  S3_TRY_ASSIGN(const auto authentication, parse_authentication(http));
  EXPECT_TRUE(authentication.has_value());
  EXPECT_EQ(authentication->access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(authentication->region, "us-east-1");
  return check_signature(http, *authentication, secret);
}

struct Example {
  std::string line, headers;
};

const Example kGet{"GET /test.txt", "Range: bytes=0-9\r\n" + common(kEmpty) +
                                        authorization("host;range;x-amz-content-sha256;x-amz-date",
                                                      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")};

class PublishedExample : public testing::TestWithParam<Example> {};

TEST_P(PublishedExample, IsAccepted) {
  const auto done = check(request(GetParam().line, GetParam().headers));
  EXPECT_TRUE(done) << done.error().message;
}

TEST_P(PublishedExample, IsRefusedUnderAnotherSecret) {
  const auto done = check(request(GetParam().line, GetParam().headers), "wrong");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(done.error().status, 403);
}

INSTANTIATE_TEST_SUITE_P(
    Aws, PublishedExample,
    testing::Values(
        kGet,
        Example{"PUT /test%24file.text",
                "Date: Fri, 24 May 2013 00:00:00 GMT\r\nx-amz-storage-class: REDUCED_REDUNDANCY\r\n" +
                    common("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072") +
                    authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                                  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")},
        Example{"GET /?lifecycle", common(kEmpty) + authorization("host;x-amz-content-sha256;x-amz-date",
                                                                  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")},
        Example{"GET /?max-keys=2&prefix=J",
                common(kEmpty) + authorization("host;x-amz-content-sha256;x-amz-date",
                                               "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")},
        Example{"GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
                "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
                "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
                ""}));

TEST(SigV4Check, ChangedPathQueryOrHeaderIsRefused) {
  EXPECT_FALSE(check(request("GET /test.txt2", kGet.headers)));
  EXPECT_FALSE(check(request("GET /test.txt?acl", kGet.headers)));
  EXPECT_FALSE(check(request("HEAD /test.txt", kGet.headers)));
  auto changed = kGet.headers;
  changed.replace(changed.find("0-9"), 3, "0-8");
  EXPECT_FALSE(check(request("GET /test.txt", changed)));
}

TEST(SigV4Check, EveryAmzHeaderMustBeSigned) {
  const auto done = parse_authentication(request("GET /test.txt", kGet.headers + "x-amz-meta-color: red\r\n"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "AccessDenied");
  ASSERT_EQ(done.error().details.size(), 1u);
  EXPECT_EQ(done.error().details[0].second, "x-amz-meta-color");
}

TEST(SigV4Check, PayloadHeaderIsRequiredAndMustBeAHash) {
  const auto signed_part = authorization("host;x-amz-date", "00");
  EXPECT_EQ(parse_authentication(request("GET /a", "x-amz-date: 20130524T000000Z\r\n" + signed_part)).error().code, "InvalidRequest");
  EXPECT_EQ(parse_authentication(request("GET /a", common("abc") + signed_part)).error().code, "InvalidArgument");
}

TEST(SigV4Check, AnonymousAndForeignSchemes) {
  EXPECT_EQ(*parse_authentication(request("GET /a", "")), std::nullopt);
  EXPECT_EQ(parse_authentication(request("GET /a", "Authorization: AWS key:signature\r\n")).error().code, "InvalidRequest");
  EXPECT_EQ(parse_authentication(request("GET /a", "Authorization: AWS4-HMAC-SHA256 Credential=a/b\r\n")).error().code,
            "AuthorizationHeaderMalformed");
  EXPECT_EQ(parse_authentication(request("GET /a?X-Amz-Algorithm=AWS4-HMAC-SHA256", kGet.headers)).error().code, "InvalidArgument");
}

TEST(SigV4Check, ScopeDateMustBeTheRequestsDate) {
  auto headers = kGet.headers;
  headers.replace(headers.find("20130524T"), 8, "20130525");
  EXPECT_EQ(parse_authentication(request("GET /test.txt", headers)).error().code, "AuthorizationHeaderMalformed");
}

TEST(SigV4Check, TimeWithinFifteenMinutes) {
  const auto authentication = **parse_authentication(request("GET /test.txt", kGet.headers));
  const auto then = *parse_iso8601_basic("20130524T000000Z");
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_TRUE(check_time(authentication, then + minutes(15)));
  EXPECT_TRUE(check_time(authentication, then - minutes(15)));
  EXPECT_EQ(check_time(authentication, then - minutes(15) - seconds(1)).error().code, "RequestTimeTooSkewed");
  const auto late = check_time(authentication, then + minutes(15) + seconds(1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "RequestTimeTooSkewed");
  EXPECT_EQ(late.error().details[1], (std::pair<std::string, std::string>("ServerTime", "2013-05-24T00:15:01.000Z")));
}

TEST(SigV4Check, PresignedExpires) {
  Authentication presigned;
  presigned.presigned = true;
  presigned.time = *parse_iso8601_basic("20130524T000000Z");
  presigned.expires = std::chrono::seconds(60);
  EXPECT_TRUE(check_time(presigned, presigned.time + std::chrono::seconds(60)));
  EXPECT_EQ(check_time(presigned, presigned.time + std::chrono::seconds(61)).error().message, "Request has expired");
  EXPECT_FALSE(check_time(presigned, presigned.time - std::chrono::hours(1)));
}

TEST(SigV4Check, QueryIsSortedAndEncodedAsSigned) {
  const auto http = request("GET /a%2fb/c%20d?b=2&a=%2F&a=&c", kGet.headers);
  const auto canonical = canonical_request(http, Authentication{});
  EXPECT_TRUE(canonical.starts_with("GET\n/a/b/c%20d\na=&a=%2F&b=2&c=\n")) << canonical;
}

TEST(SigV4Check, SpacesInHeadersCollapse) {
  Authentication authentication;
  authentication.signed_headers = {"x-amz-meta-a"};
  const auto canonical = canonical_request(request("GET /", "x-amz-meta-a:  b   c  \r\n"), authentication);
  EXPECT_NE(canonical.find("x-amz-meta-a:b c\n"), std::string::npos);
}

TEST(ParseQuery, DecodesAndRefusesBrokenEscapes) {
  EXPECT_EQ(*parse_query("a=%20b&c&&d=e=f"), (QueryPairs{{"a", " b"}, {"c", ""}, {"d", "e=f"}}));
  EXPECT_EQ(parse_query("a=%2"), std::nullopt);
}

}  // namespace
}  // namespace prefixfs::devs3
