#include "access.h"

#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

TEST(Pattern, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_pattern("b/p/*", "b/p/x/y"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("a*c*e", "abcde"));
  EXPECT_TRUE(matches_pattern("a?c", "abc"));
  EXPECT_FALSE(matches_pattern("b/p/*", "b/q/x"));
  EXPECT_FALSE(matches_pattern("a*c", "abd"));
}

class Rights : public EndpointTest {
 protected:
  void SetUp() override {
    const std::vector<std::string> all{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"};
    const std::vector<std::string> resumes{"bucket/resumes/*"};
    settings_.buckets = {{"bucket", {}, {}}, {"europe", "eu-west-1", {}}, {"strict", {}, "AES256"}};
    EndpointTest::SetUp();
    settings_.keys.push_back({"app", "s", {}, {}, all, resumes, {}});
    settings_.keys.push_back({"lister", "s", {}, {}, std::vector<std::string>{"s3:*"}, resumes, std::vector<std::string>{"resumes/"}});
    settings_.keys.push_back({"writer", "s", {}, {}, std::vector<std::string>{"s3:PutObject"}, {}, {}});
    settings_.keys.push_back({"temporary", "s", "token", SystemClock().now() + std::chrono::hours(1), {}, {}, {}});
    restart();
  }
  Answer as(const std::string& who, const std::string& method, const std::string& target, HeaderList headers = {}, std::string body = "") {
    return send({.method = method, .target = target, .headers = std::move(headers), .body = std::move(body), .access = who, .secret = "s"});
  }
};

TEST_F(Rights, WithoutListBucketAMissingKeyIsForbidden) {
  const auto missing = as("app", "GET", "/bucket/resumes/none");
  EXPECT_EQ(missing.status, 403);
  EXPECT_EQ(missing.code(), "AccessDenied");
  EXPECT_EQ(missing.element("Message"),
            "User: arn:aws:iam::000000000000:user/app is not authorized to perform: s3:ListBucket on resource: "
            "&quot;arn:aws:s3:::bucket&quot; because no identity-based policy allows the s3:ListBucket action");
  EXPECT_EQ(as("app", "HEAD", "/bucket/resumes/none").status, 403);
  EXPECT_EQ(as("app", "GET", "/bucket?list-type=2&prefix=resumes%2F").status, 403);
  EXPECT_EQ(as("app", "PUT", "/bucket/resumes/a", {{"If-None-Match", "*"}}, "x").status, 200);
  EXPECT_EQ(as("app", "PUT", "/bucket/resumes/a", {{"If-None-Match", "*"}}, "x").status, 412);
  EXPECT_EQ(as("app", "GET", "/bucket/resumes/a").body, "x");
  EXPECT_EQ(as("app", "DELETE", "/bucket/resumes/a").status, 204);
}

TEST_F(Rights, OutsideTheResources) {
  put("other/a", "x");
  const auto denied = as("app", "GET", "/bucket/other/a");
  EXPECT_EQ(denied.code(), "AccessDenied");
  EXPECT_NE(denied.body.find("s3:GetObject on resource: &quot;arn:aws:s3:::bucket/other/a&quot;"), std::string::npos) << denied.body;
  EXPECT_EQ(as("app", "PUT", "/bucket/resumes/c", {{"x-amz-copy-source", "bucket/other/a"}}).code(), "AccessDenied");
  EXPECT_EQ(as("app", "PUT", "/bucket/other/c", {}, "x").code(), "AccessDenied");
}

TEST_F(Rights, ListOfAPrefixOnly) {
  EXPECT_EQ(as("lister", "GET", "/bucket?list-type=2&prefix=resumes%2Fx").status, 200);
  EXPECT_EQ(as("lister", "GET", "/bucket?list-type=2").status, 403);
  EXPECT_EQ(as("lister", "GET", "/bucket/resumes/none").status, 403);
}

TEST_F(Rights, ConditionsThatReadNeedTheRightToRead) {
  EXPECT_EQ(as("writer", "PUT", "/bucket/a", {}, "x").status, 200);
  EXPECT_EQ(as("writer", "PUT", "/bucket/a", {{"If-Match", "\"x\""}}, "x").code(), "AccessDenied");
  EXPECT_EQ(as("writer", "DELETE", "/bucket/a").code(), "AccessDenied");
  EXPECT_EQ(as("writer", "GET", "/bucket/a").code(), "AccessDenied");
}

TEST_F(Rights, TheInitiatorMayAbortWithPutObjectAlone) {
  const auto id = as("writer", "POST", "/bucket/a?uploads").element("UploadId");
  EXPECT_EQ(as("writer", "GET", "/bucket/a?uploadId=" + id).status, 200);
  EXPECT_EQ(as("app", "DELETE", "/bucket/a?uploadId=" + id).status, 403);
  EXPECT_EQ(as("writer", "DELETE", "/bucket/a?uploadId=" + id).status, 204);
}

TEST_F(Rights, Tokens) {
  Call call{.target = "/bucket?list-type=2", .access = "temporary", .secret = "s", .token = "token"};
  EXPECT_EQ(send(call).status, 200);
  call.token = "other";
  EXPECT_EQ(send(call).code(), "InvalidToken");
  call.token = "";
  EXPECT_EQ(send(call).code(), "InvalidAccessKeyId");
  control("POST", "clock", R"({"offset_seconds":7200})");
  call.token = "token";
  call.time += std::chrono::hours(2);
  const auto expired = send(call);
  EXPECT_EQ(expired.status, 400);
  EXPECT_EQ(expired.code(), "ExpiredToken");
}

TEST_F(Rights, EncryptionDemandedByTheBucket) {
  const auto denied = send({.method = "PUT", .target = "/strict/a", .body = "x"});
  EXPECT_EQ(denied.code(), "AccessDenied");
  EXPECT_NE(denied.body.find("explicit deny"), std::string::npos);
  EXPECT_EQ(send({.method = "POST", .target = "/strict/a?uploads"}).status, 403);
  const HeaderList encrypted{{"x-amz-server-side-encryption", "AES256"}};
  EXPECT_EQ(send({.method = "PUT", .target = "/strict/a", .headers = encrypted, .body = "x"}).status, 200);
}

TEST_F(Rights, Regions) {
  const auto redirected = send({.target = "/europe?list-type=2"});
  EXPECT_EQ(redirected.status, 301);
  EXPECT_EQ(redirected.code(), "PermanentRedirect");
  EXPECT_EQ(redirected.headers.at("x-amz-bucket-region"), "eu-west-1");
  EXPECT_EQ(redirected.element("Bucket"), "europe");
  EXPECT_EQ(send({.target = "/europe?list-type=2", .region = "eu-west-1"}).status, 200);
  const auto wrong = send({.target = "/bucket?list-type=2", .region = "eu-west-1"});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.code(), "AuthorizationHeaderMalformed");
  EXPECT_EQ(wrong.element("Region"), "us-east-1");
  const auto stranger = send({.method = "HEAD", .target = "/europe", .sign = false});
  EXPECT_EQ(stranger.status, 403);
  EXPECT_EQ(stranger.headers.at("x-amz-bucket-region"), "eu-west-1");
}

TEST_F(Rights, StrangersAndClocks) {
  EXPECT_EQ(send({.target = "/bucket/a", .sign = false}).code(), "AccessDenied");
  EXPECT_EQ(send({.target = "/bucket/a", .secret = "wrong"}).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(send({.target = "/bucket/a", .access = "nobody"}).code(), "InvalidAccessKeyId");
  EXPECT_EQ(send({.target = "/bucket/a", .unsigned_headers = {{"x-amz-meta-a", "b"}}}).code(), "AccessDenied");
  EXPECT_EQ(send({.target = "/bucket/a", .payload = "UNSIGNED-PAYLOAD"}).code(), "InvalidRequest");
  const auto late = send({.target = "/bucket/a", .time = SystemClock().now() - std::chrono::minutes(16)});
  EXPECT_EQ(late.code(), "RequestTimeTooSkewed");
  EXPECT_FALSE(late.element("ServerTime").empty());
  settings_.allow_unsigned_payload = true;
  restart();
  put("a", "x");
  EXPECT_EQ(send({.target = "/bucket/a", .payload = "UNSIGNED-PAYLOAD"}).body, "x");
}

}  // namespace
}  // namespace prefixfs::devs3
