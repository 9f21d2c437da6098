#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

class Copy : public EndpointTest {
 protected:
  Answer copy(const std::string& to, const std::string& from, HeaderList headers = {}) {
    headers.emplace_back("x-amz-copy-source", from);
    return send({.method = "PUT", .target = "/bucket/" + to, .headers = std::move(headers)});
  }
  void SetUp() override {
    EndpointTest::SetUp();
    put("a%20b", "hello",
        {{"x-amz-meta-k", "v"}, {"Content-Type", "text/plain"}, {"x-amz-tagging", "t=1"}, {"x-amz-storage-class", "STANDARD_IA"}});
  }
};

TEST_F(Copy, KeepsMetadataAndTagsButNotTheStorageClass) {
  const auto done = copy("b", "bucket/a%20b");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.element("ETag"), "&quot;5d41402abc4b2a76b9719d911017c592&quot;");
  const auto read = get("b");
  EXPECT_EQ(read.body, "hello");
  EXPECT_EQ(read.headers.at("x-amz-meta-k"), "v");
  EXPECT_EQ(read.headers.at("content-type"), "text/plain");
  EXPECT_EQ(read.headers.at("x-amz-tagging-count"), "1");
  EXPECT_FALSE(read.headers.contains("x-amz-storage-class"));
}

TEST_F(Copy, ReplaceForgetsWhatIsNotSaidAgain) {
  const HeaderList replace{{"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-n", "1"}, {"x-amz-tagging-directive", "REPLACE"}};
  ASSERT_EQ(copy("b", "/bucket/a%20b", replace).status, 200);
  const auto read = get("b");
  EXPECT_EQ(read.headers.at("x-amz-meta-n"), "1");
  EXPECT_FALSE(read.headers.contains("x-amz-meta-k"));
  EXPECT_EQ(read.headers.at("content-type"), "binary/octet-stream");
  EXPECT_FALSE(read.headers.contains("x-amz-tagging-count"));
  EXPECT_EQ(copy("b", "/bucket/a%20b", {{"x-amz-metadata-directive", "MERGE"}}).code(), "InvalidArgument");
}

TEST_F(Copy, OntoItselfOnlyWithAChange) {
  EXPECT_EQ(copy("a%20b", "bucket/a%20b", {{"x-amz-storage-class", "STANDARD_IA"}}).code(), "InvalidRequest");
  EXPECT_EQ(copy("a%20b", "bucket/a%20b", {{"x-amz-metadata-directive", "REPLACE"}}).status, 200);
  EXPECT_EQ(copy("a%20b", "bucket/a%20b", {{"x-amz-storage-class", "ONEZONE_IA"}}).status, 200);
  EXPECT_EQ(get("a%20b").body, "hello");
}

TEST_F(Copy, Conditions) {
  EXPECT_EQ(copy("b", "bucket/a%20b", {{"x-amz-copy-source-if-match", "\"x\""}}).code(), "PreconditionFailed");
  const std::string etag = "\"5d41402abc4b2a76b9719d911017c592\"";
  EXPECT_EQ(copy("b", "bucket/a%20b", {{"x-amz-copy-source-if-none-match", etag}}).code(), "PreconditionFailed");
  EXPECT_EQ(copy("b", "bucket/a%20b", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(copy("b", "bucket/a%20b", {{"If-None-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(copy("b", "bucket/a%20b", {{"If-Match", "\"x\""}}).code(), "PreconditionFailed");
}

TEST_F(Copy, SourcesThatAreNone) {
  EXPECT_EQ(copy("b", "bucket/none").code(), "NoSuchKey");
  EXPECT_EQ(copy("b", "nobucket/a").code(), "NoSuchBucket");
  EXPECT_EQ(copy("b", "bucket").code(), "InvalidArgument");
  EXPECT_EQ(copy("b", "bucket/a%2").code(), "InvalidArgument");
  put("g", "x", {{"x-amz-storage-class", "DEEP_ARCHIVE"}});
  EXPECT_EQ(copy("b", "bucket/g").code(), "InvalidObjectState");
}

TEST_F(Copy, OutlivesItsSource) {
  copy("b", "bucket/a%20b");
  erase("a%20b");
  restart();
  EXPECT_EQ(get("b").body, "hello");
}

}  // namespace
}  // namespace prefixfs::devs3
