// PutObject, GetObject, HeadObject, DeleteObject over the wire.
#include <sys/stat.h>

#include "endpoint_fixture.h"
#include "prefixfs/crypto/encoding.h"

namespace prefixfs::devs3 {
namespace {

using Objects = EndpointTest;

TEST_F(Objects, RoundTripWithEveryDescribingHeader) {
  const auto stored = put("a", "hello",
                          {{"Content-Type", "text/plain"},
                           {"Cache-Control", "no-cache"},
                           {"Content-Disposition", "attachment"},
                           {"Content-Encoding", "aws-chunked,gzip"},
                           {"Content-Language", "de"},
                           {"Expires", "Thu, 01 Dec 2030 16:00:00 GMT"},
                           {"x-amz-meta-color", "dark red"},
                           {"x-amz-storage-class", "STANDARD_IA"},
                           {"x-amz-tagging", "a=b&c=d%20e"}});
  ASSERT_EQ(stored.status, 200) << stored.body;
  EXPECT_EQ(stored.headers.at("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(stored.headers.at("server"), "devs3");
  EXPECT_EQ(stored.headers.at("x-amz-request-id").size(), 16u);
  EXPECT_TRUE(stored.headers.contains("x-amz-checksum-crc64nvme"));
  const auto read = get("a");
  EXPECT_EQ(read.body, "hello");
  EXPECT_EQ(read.headers.at("content-type"), "text/plain");
  EXPECT_EQ(read.headers.at("cache-control"), "no-cache");
  EXPECT_EQ(read.headers.at("content-disposition"), "attachment");
  EXPECT_EQ(read.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(read.headers.at("content-language"), "de");
  EXPECT_EQ(read.headers.at("expires"), "Thu, 01 Dec 2030 16:00:00 GMT");
  EXPECT_EQ(read.headers.at("x-amz-meta-color"), "dark red");
  EXPECT_EQ(read.headers.at("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(read.headers.at("x-amz-tagging-count"), "2");
  EXPECT_EQ(read.headers.at("x-amz-server-side-encryption"), "AES256");
  EXPECT_FALSE(read.headers.contains("x-amz-version-id"));
}

TEST_F(Objects, HeadHasTheSameHeadersAndNoBody) {
  put("a", "hello");
  const auto read = head("a");
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.headers.at("content-length"), "5");
  EXPECT_EQ(read.body, "");
  const auto missing = head("b");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, "");
}

TEST_F(Objects, AnyKeyIsRepresentable) {
  const std::vector<std::string> keys{"a",       "a/b",         "a//b",   "../x", "./.", "/lead", "trail/", "\x01\x1f\x7f", "100%+&?#",
                                      "\xc3\xa9", std::string(1024, 'k'), std::string(300, 'n') + "/x"};
  for (const auto& key : keys) {
    ASSERT_EQ(put(crypto::uri_encode(key, crypto::Slash::keep), "body of " + key).status, 200) << key;
  }
  restart();
  for (const auto& key : keys) {
    EXPECT_EQ(get(crypto::uri_encode(key, crypto::Slash::keep)).body, "body of " + key) << key;
  }
}

TEST_F(Objects, KeysThatCannotBe) {
  EXPECT_EQ(put(std::string(1025, 'k'), "").code(), "KeyTooLongError");
  EXPECT_EQ(put("%ff", "").code(), "InvalidURI");
  EXPECT_EQ(put("a%00b", "").code(), "InvalidURI");
  EXPECT_EQ(put("a%2", "").code(), "InvalidURI");
}

TEST_F(Objects, OverrideOfResponseHeaders) {
  put("a", "x", {{"Content-Type", "text/plain"}});
  const auto read = get("a?response-content-type=image%2Fpng&response-content-disposition=inline");
  EXPECT_EQ(read.headers.at("content-type"), "image/png");
  EXPECT_EQ(read.headers.at("content-disposition"), "inline");
}

TEST_F(Objects, Ranges) {
  put("a", "0123456789");
  const auto middle = get("a", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, "234");
  EXPECT_EQ(middle.headers.at("content-range"), "bytes 2-4/10");
  EXPECT_EQ(get("a", {{"Range", "bytes=7-"}}).body, "789");
  EXPECT_EQ(get("a", {{"Range", "bytes=-3"}}).body, "789");
  EXPECT_EQ(get("a", {{"Range", "bytes=8-99"}}).body, "89");
  EXPECT_EQ(get("a", {{"Range", "nonsense"}}).status, 200);
  const auto beyond = get("a", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.code(), "InvalidRange");
  EXPECT_EQ(beyond.element("ActualObjectSize"), "10");
}

TEST_F(Objects, ReadConditions) {
  put("a", "hello");
  const std::string etag = "\"5d41402abc4b2a76b9719d911017c592\"";
  EXPECT_EQ(get("a", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(get("a", {{"If-Match", "\"other\""}}).code(), "PreconditionFailed");
  EXPECT_EQ(get("a", {{"If-None-Match", "\"other\""}}).status, 200);
  const auto same = get("a", {{"If-None-Match", etag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(same.headers.at("etag"), etag);
}

TEST_F(Objects, WriteConditions) {
  EXPECT_EQ(put("a", "1", {{"If-Match", "\"x\""}}).code(), "NoSuchKey");
  EXPECT_EQ(put("a", "1", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(put("a", "2", {{"If-None-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(put("a", "2", {{"If-None-Match", "\"x\""}}).status, 501);
  EXPECT_EQ(put("a", "2", {{"If-Match", "\"x\""}}).status, 412);
  EXPECT_EQ(put("a", "2", {{"If-Match", "\"c4ca4238a0b923820dcc509a6f75849b\""}}).status, 200);
  EXPECT_EQ(get("a").body, "2");
}

TEST_F(Objects, DeleteConditions) {
  put("a", "1");
  EXPECT_EQ(erase("a", {{"If-Match", "\"x\""}}).status, 412);
  EXPECT_EQ(erase("b", {{"If-Match", "\"x\""}}).code(), "NoSuchKey");
  EXPECT_EQ(erase("b", {{"If-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(erase("b").status, 204);
  EXPECT_EQ(erase("a", {{"If-Match", "*"}}).status, 204);
  EXPECT_EQ(get("a").code(), "NoSuchKey");
}

TEST_F(Objects, ExpectContinueIsRefusedBeforeTheBody) {
  put("a", "1");
  const Call call{.method = "PUT", .target = "/bucket/a", .headers = {{"If-None-Match", "*"}, {"Expect", "100-continue"}}, .body = "body",
                  .send_body = false};
  const auto refused = send(call);
  EXPECT_EQ(refused.status, 412);
  EXPECT_FALSE(refused.continued);
  EXPECT_EQ(refused.headers.at("connection"), "close");
  const auto accepted = put("b", "body", {{"Expect", "100-continue"}});
  EXPECT_EQ(accepted.status, 200);
  EXPECT_TRUE(accepted.continued);
}

TEST_F(Objects, Integrity) {
  EXPECT_EQ(put("a", "hello", {{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}).status, 200);
  EXPECT_EQ(put("a", "hellO", {{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}).code(), "BadDigest");
  EXPECT_EQ(put("a", "hello", {{"Content-MD5", "nonsense"}}).code(), "InvalidDigest");
  EXPECT_EQ(put("a", "123456789", {{"x-amz-checksum-crc32", "y/Q5Jg=="}}).status, 200);
  EXPECT_EQ(put("a", "12345678X", {{"x-amz-checksum-crc32", "y/Q5Jg=="}}).code(), "BadDigest");
  EXPECT_EQ(put("a", "1", {{"x-amz-checksum-crc32", "y/Q5"}}).code(), "InvalidRequest");
  EXPECT_EQ(put("a", "1", {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-sha1", "x"}}).code(), "InvalidRequest");
  EXPECT_EQ(put("a", "1", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).code(), "InvalidRequest");
  const auto wrong = send({.method = "PUT", .target = "/bucket/a", .body = "hello",
                           .payload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"});
  EXPECT_EQ(wrong.code(), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(get("a").body, "123456789") << "a refused body leaves the object as it was";
}

TEST_F(Objects, ChecksumIsShownWhereAskedForAndNotForARange) {
  put("a", "123456789");
  const HeaderList enabled{{"x-amz-checksum-mode", "ENABLED"}};
  const auto read = get("a", enabled);
  EXPECT_EQ(read.headers.at("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
  EXPECT_EQ(read.headers.at("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_FALSE(get("a").headers.contains("x-amz-checksum-crc64nvme"));
  EXPECT_FALSE(get("a", {{"x-amz-checksum-mode", "ENABLED"}, {"Range", "bytes=0-1"}}).headers.contains("x-amz-checksum-crc64nvme"));
}

TEST_F(Objects, LimitsAndWrongWords) {
  EXPECT_EQ(put("a", "", {{"x-amz-meta-k", std::string(2048, 'v')}}).code(), "MetadataTooLarge");
  EXPECT_EQ(put("a", "", {{"x-amz-meta-k", std::string(2047, 'v')}}).status, 200);
  EXPECT_EQ(put("a", "", {{"x-amz-meta-k", "\xc3\xa9"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a", "", {{"x-amz-storage-class", "COLD"}}).code(), "InvalidStorageClass");
  EXPECT_EQ(put("a", "", {{"x-amz-server-side-encryption", "AES128"}}).code(), "InvalidArgument");
  EXPECT_EQ(put("a?renameObject", "", {}).status, 501);
  EXPECT_EQ(send({.method = "PUT", .target = "/bucket/a", .headers = {{"Content-Length", "5368709121"}}, .send_body = false}).code(),
            "EntityTooLarge");
  EXPECT_EQ(send({.method = "PUT", .target = "/bucket/a", .headers = {{"Transfer-Encoding", "chunked"}}}).status, 400);
}

TEST_F(Objects, ArchivedObjectsCannotBeRead) {
  put("a", "x", {{"x-amz-storage-class", "GLACIER"}});
  EXPECT_EQ(get("a").code(), "InvalidObjectState");
  EXPECT_EQ(head("a").headers.at("x-amz-storage-class"), "GLACIER");
}

TEST_F(Objects, KmsETagIsNoHash) {
  const auto stored = put("a", "hello", {{"x-amz-server-side-encryption", "aws:kms"}});
  EXPECT_EQ(stored.headers.at("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_NE(stored.headers.at("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
}

TEST_F(Objects, ZerosTakeNoDisk) {
  const std::string zeros(8 << 20, '\0');
  ASSERT_EQ(put("a", zeros).status, 200);
  std::uintmax_t blocks = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_ / ".data")) {
    struct stat status {};
    if (entry.is_regular_file() && ::stat(entry.path().c_str(), &status) == 0) {
      blocks += static_cast<std::uintmax_t>(status.st_blocks);
    }
  }
  EXPECT_LE(blocks * 512, 64u * 1024);
  EXPECT_EQ(get("a").body, zeros);
}

}  // namespace
}  // namespace prefixfs::devs3
