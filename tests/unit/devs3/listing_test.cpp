// ListObjectsV2, ListObjects, DeleteObjects, tagging and the bucket operations over the wire.
#include <fmt/format.h>

#include "endpoint_fixture.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {
namespace {

std::string content_md5(const std::string& body) { return crypto::base64(crypto::md5(std::as_bytes(std::span(body)))); }

class Listing : public EndpointTest {
 protected:
  Answer post(const std::string& target, const std::string& body, bool digest = true) {
    const HeaderList headers = digest ? HeaderList{{"Content-MD5", content_md5(body)}} : HeaderList{};
    return send({.method = "POST", .target = target, .headers = headers, .body = body});
  }
};

TEST_F(Listing, KeysThatXmlCannotCarryNeedUrlEncoding) {
  put("a%01%20%2B%26", "x");
  const auto encoded = list("&encoding-type=url&prefix=a%01");
  EXPECT_EQ(encoded.element("Key"), "a%01+%2B%26");
  EXPECT_EQ(encoded.element("Prefix"), "a%01");
  EXPECT_EQ(encoded.element("EncodingType"), "url");
  EXPECT_EQ(list("").element("Key"), "a&#x1; +&amp;");
  EXPECT_EQ(list("&encoding-type=base64").code(), "InvalidArgument");
}

TEST_F(Listing, TokensAndLimits) {
  for (const auto* key : {"a", "b/1", "b/2", "c"}) {
    put(key, key);
  }
  const auto first = list("&delimiter=%2F&max-keys=2");
  EXPECT_EQ(first.element("KeyCount"), "2");
  EXPECT_EQ(first.element("IsTruncated"), "true");
  const auto token = first.element("NextContinuationToken");
  const auto second = list("&delimiter=%2F&max-keys=2&continuation-token=" + crypto::uri_encode(token, crypto::Slash::encode));
  EXPECT_EQ(second.element("Key"), "c");
  EXPECT_EQ(second.element("IsTruncated"), "false");
  EXPECT_EQ(list("&start-after=b%2F1").element("Key"), "b/2");
  EXPECT_EQ(list("&max-keys=0").element("KeyCount"), "0");
  EXPECT_EQ(list("&max-keys=5000").element("MaxKeys"), "1000");
  EXPECT_EQ(list("&max-keys=-1").code(), "InvalidArgument");
  EXPECT_EQ(list("&continuation-token=zzz").code(), "InvalidArgument");
}

TEST_F(Listing, VersionOne) {
  put("a", "x");
  put("b/1", "x");
  const auto page = send({.target = "/bucket?delimiter=%2F&max-keys=1"});
  EXPECT_EQ(page.element("Key"), "a");
  EXPECT_EQ(page.element("NextMarker"), "a");
  EXPECT_NE(send({.target = "/bucket?delimiter=%2F&marker=a"}).body.find("<CommonPrefixes><Prefix>b/</Prefix>"), std::string::npos);
}

TEST_F(Listing, DeleteObjects) {
  put("a", "x");
  put("b", "x");
  put("c", "x");
  const std::string body =
      "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object>"
      "<Object><Key>b</Key><ETag>\"wrong\"</ETag></Object><Quiet>true</Quiet></Delete>";
  const auto done = post("/bucket?delete", body);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.body.find("<Deleted>"), std::string::npos) << "quiet";
  EXPECT_NE(done.body.find("<Error><Key>b</Key><Code>PreconditionFailed</Code>"), std::string::npos);
  EXPECT_EQ(get("a").status, 404);
  EXPECT_EQ(get("b").status, 200);
  EXPECT_EQ(post("/bucket?delete", body, false).code(), "InvalidRequest");
  EXPECT_EQ(post("/bucket?delete", "<Delete/>").code(), "MalformedXML");
  EXPECT_EQ(post("/bucket?delete", "<Delete><Odd/></Delete>").code(), "MalformedXML");
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) {
    many += fmt::format("<Object><Key>k{}</Key></Object>", i);
  }
  EXPECT_EQ(post("/bucket?delete", many + "</Delete>").code(), "MalformedXML");
}

TEST_F(Listing, Tagging) {
  put("a", "x");
  const auto before = head("a").headers.at("etag");
  const Call call{.method = "PUT", .target = "/bucket/a?tagging",
                  .body = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"};
  EXPECT_EQ(send(call).status, 200);
  EXPECT_EQ(send({.target = "/bucket/a?tagging"}).element("Value"), "v");
  EXPECT_EQ(head("a").headers.at("x-amz-tagging-count"), "1");
  EXPECT_EQ(head("a").headers.at("etag"), before);
  EXPECT_EQ(send({.method = "DELETE", .target = "/bucket/a?tagging"}).status, 204);
  EXPECT_FALSE(head("a").headers.contains("x-amz-tagging-count"));
}

TEST_F(Listing, Buckets) {
  EXPECT_EQ(send({.method = "PUT", .target = "/second"}).status, 200);
  EXPECT_EQ(send({.method = "PUT", .target = "/second"}).code(), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(send({.method = "PUT", .target = "/No_Name"}).code(), "InvalidBucketName");
  const std::string europe =
      "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
  const auto located = send({.method = "PUT", .target = "/third", .body = europe});
  EXPECT_EQ(located.status, 200) << located.body;
  EXPECT_EQ(send({.method = "HEAD", .target = "/third", .region = "eu-west-1"}).headers.at("x-amz-bucket-region"), "eu-west-1");
  const auto all = send({.target = "/"});
  EXPECT_NE(all.body.find("<Name>bucket</Name>"), std::string::npos);
  EXPECT_NE(all.body.find("<Name>second</Name>"), std::string::npos);
  send({.method = "PUT", .target = "/second/a", .body = "x"});
  EXPECT_EQ(send({.method = "DELETE", .target = "/second"}).code(), "BucketNotEmpty");
  send({.method = "DELETE", .target = "/second/a"});
  EXPECT_EQ(send({.method = "DELETE", .target = "/second"}).status, 204);
  EXPECT_EQ(send({.target = "/second?list-type=2"}).code(), "NoSuchBucket");
  EXPECT_EQ(send({.target = "/bucket?acl"}).status, 501);
  EXPECT_EQ(send({.method = "POST", .target = "/bucket"}).status, 405);
}

}  // namespace
}  // namespace prefixfs::devs3
