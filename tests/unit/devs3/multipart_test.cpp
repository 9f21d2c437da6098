#include <fmt/format.h>

#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kPart = 5 << 20;

class Multipart : public EndpointTest {
 protected:
  std::string create(HeaderList headers = {}) {
    const auto answer = send({.method = "POST", .target = "/bucket/m?uploads", .headers = std::move(headers)});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.element("UploadId");
  }
  Answer part(const std::string& id, int number, const std::string& body, HeaderList headers = {}) {
    return send({.method = "PUT", .target = fmt::format("/bucket/m?partNumber={}&uploadId={}", number, id), .headers = std::move(headers),
                 .body = body});
  }
  Answer complete(const std::string& id, const std::vector<std::pair<int, std::string>>& parts, HeaderList headers = {}) {
    std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const auto& [number, etag] : parts) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, etag);
    }
    return send({.method = "POST", .target = "/bucket/m?uploadId=" + id, .headers = std::move(headers),
                 .body = body + "</CompleteMultipartUpload>"});
  }
};

TEST_F(Multipart, PartsBecomeOneObject) {
  const auto id = create({{"x-amz-meta-a", "b"}, {"Content-Type", "text/x"}});
  const std::string first(kPart, 'x');
  const auto one = part(id, 1, first).headers.at("etag");
  const auto two = part(id, 7, "tail").headers.at("etag");
  EXPECT_EQ(get("m").status, 404) << "nothing is visible before completion";
  const auto done = complete(id, {{1, one}, {7, two}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(done.element("ETag").ends_with("-2&quot;")) << done.body;
  const auto read = get("m", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(read.body, first + "tail");
  EXPECT_EQ(read.headers.at("x-amz-meta-a"), "b");
  EXPECT_EQ(read.headers.at("content-type"), "text/x");
  put("same", first + "tail");
  const auto same = get("same", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(read.headers.at("x-amz-checksum-crc64nvme"), same.headers.at("x-amz-checksum-crc64nvme"))
      << "the full-object checksum does not depend on how the bytes came";
  EXPECT_EQ(complete(id, {{1, one}}).code(), "NoSuchUpload");
}

TEST_F(Multipart, SurvivesARestart) {
  const auto id = create();
  const auto one = part(id, 1, "only").headers.at("etag");
  restart();
  ASSERT_EQ(complete(id, {{1, one}}).status, 200);
  restart();
  EXPECT_EQ(get("m").body, "only");
}

TEST_F(Multipart, RefusesWrongLists) {
  const auto id = create();
  const auto one = part(id, 1, "small").headers.at("etag");
  const auto two = part(id, 2, "small too").headers.at("etag");
  EXPECT_EQ(complete(id, {{1, one}, {2, two}}).code(), "EntityTooSmall");
  EXPECT_EQ(complete(id, {{2, two}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(complete(id, {{1, two}}).code(), "InvalidPart");
  EXPECT_EQ(complete(id, {{3, one}}).code(), "InvalidPart");
  EXPECT_EQ(complete(id, {}).code(), "MalformedXML");
  EXPECT_EQ(send({.method = "POST", .target = "/bucket/m?uploadId=" + id, .body = "<!DOCTYPE a><CompleteMultipartUpload/>"}).code(),
            "MalformedXML");
  EXPECT_EQ(complete(id, {{1, one}}, {{"x-amz-checksum-crc64nvme", "AAAAAAAAAAA="}}).code(), "BadDigest");
  EXPECT_EQ(complete(id, {{1, one}}, {{"x-amz-mp-object-size", "4"}}).code(), "InvalidRequest");
  EXPECT_EQ(complete(id, {{1, one}}, {{"x-amz-server-side-encryption", "AES256"}}).code(), "InvalidArgument");
  EXPECT_EQ(complete(id, {{1, one}}, {{"x-amz-mp-object-size", "5"}}).status, 200);
}

TEST_F(Multipart, PartsAreChecked) {
  const auto id = create();
  EXPECT_EQ(part(id, 0, "x").code(), "InvalidArgument");
  EXPECT_EQ(part(id, 10'001, "x").code(), "InvalidArgument");
  EXPECT_EQ(part("nonsense", 1, "x").code(), "NoSuchUpload");
  EXPECT_EQ(part(id, 1, "x", {{"x-amz-server-side-encryption", "AES256"}}).code(), "InvalidArgument");
  const auto chosen = create({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  EXPECT_EQ(part(chosen, 1, "1", {{"x-amz-checksum-sha1", "NWoZK3kTsExUV00Ywo1G5jlUKKs="}}).code(), "InvalidRequest");
}

TEST_F(Multipart, ConditionsAtCompletion) {
  put("m", "old");
  auto id = create();
  const auto one = part(id, 1, "new").headers.at("etag");
  EXPECT_EQ(complete(id, {{1, one}}, {{"If-None-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(complete(id, {{1, one}}, {{"If-Match", "\"x\""}}).code(), "PreconditionFailed");
  EXPECT_EQ(get("m").body, "old");
  EXPECT_EQ(complete(id, {{1, one}}, {{"If-Match", "\"149603e6c03516362a8da23f624db945\""}}).status, 200);
}

TEST_F(Multipart, ListsAndAbort) {
  const auto id = create();
  part(id, 2, "bb");
  part(id, 1, "a");
  const auto parts = send({.target = "/bucket/m?uploadId=" + id + "&max-parts=1"});
  EXPECT_EQ(parts.element("PartNumber"), "1");
  EXPECT_EQ(parts.element("IsTruncated"), "true");
  EXPECT_EQ(parts.element("NextPartNumberMarker"), "1");
  EXPECT_EQ(send({.target = "/bucket?uploads"}).element("UploadId"), id);
  EXPECT_EQ(control("GET", "uploads")[0]["bytes"], 3);
  EXPECT_EQ(send({.method = "DELETE", .target = "/bucket/m?uploadId=" + id}).status, 204);
  EXPECT_EQ(send({.target = "/bucket?uploads"}).element("UploadId"), "");
  EXPECT_EQ(part(id, 1, "x").code(), "NoSuchUpload");
}

TEST_F(Multipart, CopiedPartsShareTheBytes) {
  std::string source(kPart + 10, 's');
  source.replace(kPart, 10, "0123456789");
  put("source", source);
  const auto id = create();
  const auto copy = [&](int number, HeaderList headers) {
    headers.emplace_back("x-amz-copy-source", "/bucket/source");
    return send({.method = "PUT", .target = fmt::format("/bucket/m?partNumber={}&uploadId={}", number, id), .headers = headers});
  };
  EXPECT_EQ(copy(1, {{"x-amz-copy-source-range", "bytes=0-9999999"}}).code(), "InvalidArgument");
  EXPECT_EQ(copy(1, {{"x-amz-copy-source-if-match", "\"x\""}}).code(), "PreconditionFailed");
  const auto one = copy(1, {{"x-amz-copy-source-range", fmt::format("bytes=0-{}", kPart - 1)}});
  const auto two = copy(2, {{"x-amz-copy-source-range", fmt::format("bytes={}-{}", kPart + 2, kPart + 4)}});
  ASSERT_EQ(two.status, 200) << two.body;
  ASSERT_EQ(complete(id, {{1, one.element("ETag")}, {2, two.element("ETag")}}).status, 200);
  erase("source");
  EXPECT_EQ(get("m").body, source.substr(0, kPart) + "234");
}

}  // namespace
}  // namespace prefixfs::devs3
