// Objects in an archive, and what brings them back.

#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

class RestoreObject : public EndpointTest {
 protected:
  Answer restore(const std::string& key, const std::string& days = "<Days>2</Days>", const std::string& tier = "Standard") {
    return send({.method = "POST",
                 .target = "/bucket/" + key + "?restore",
                 .body = "<RestoreRequest>" + days + "<GlacierJobParameters><Tier>" + tier + "</Tier></GlacierJobParameters></RestoreRequest>"});
  }
  nlohmann::json finish(const std::string& key) {
    return control("POST", "objects/finish-restore", R"({"bucket":"bucket","key":")" + key + R"("})");
  }
  std::string said(const std::string& key) {
    const auto headers = head(key).headers;
    const auto found = headers.find("x-amz-restore");
    return found == headers.end() ? "" : found->second;
  }
};

TEST_F(RestoreObject, GoesThroughItsStates) {
  put("a", "bytes", {{"x-amz-storage-class", "GLACIER"}});
  EXPECT_EQ(said("a"), "");
  EXPECT_EQ(restore("a").status, 202);
  EXPECT_EQ(said("a"), "ongoing-request=\"true\"");
  EXPECT_EQ(get("a").code(), "InvalidObjectState");
  EXPECT_EQ(restore("a").code(), "RestoreAlreadyInProgress");
  restart();
  EXPECT_EQ(said("a"), "ongoing-request=\"true\"");
  EXPECT_FALSE(finish("a").contains("error"));
  EXPECT_TRUE(said("a").starts_with("ongoing-request=\"false\", expiry-date=\""));
  EXPECT_EQ(get("a").body, "bytes");
  EXPECT_EQ(put("b", "", {{"x-amz-copy-source", "/bucket/a"}}).status, 200);
  EXPECT_EQ(restore("a").status, 200);
  restart();
  EXPECT_EQ(get("a").body, "bytes");
  EXPECT_TRUE(finish("a").contains("error")) << "none is under way";
}

TEST_F(RestoreObject, TheCopyGoesWhenItsDaysAreOver) {
  put("a", "bytes", {{"x-amz-storage-class", "DEEP_ARCHIVE"}});
  EXPECT_EQ(restore("a").status, 202);
  finish("a");
  EXPECT_EQ(get("a").status, 200);
  control("POST", "clock", R"({"offset_seconds":345600})");
  const WallTime later = SystemClock().now() + std::chrono::days(4);
  const auto read = send({.target = "/bucket/a", .time = later});
  EXPECT_EQ(read.code(), "InvalidObjectState");
  EXPECT_FALSE(send({.method = "HEAD", .target = "/bucket/a", .time = later}).headers.contains("x-amz-restore"));
}

TEST_F(RestoreObject, RefusesWhatS3Refuses) {
  put("new", "bytes");
  put("deep", "bytes", {{"x-amz-storage-class", "DEEP_ARCHIVE"}});
  EXPECT_EQ(restore("new").code(), "InvalidObjectState");
  EXPECT_EQ(restore("none").code(), "NoSuchKey");
  EXPECT_EQ(restore("deep", "<Days>1</Days>", "Expedited").code(), "InvalidArgument");
  EXPECT_EQ(restore("deep", "").code(), "MalformedXML");
  EXPECT_EQ(restore("deep", "<Days>0</Days>").code(), "MalformedXML");
  EXPECT_EQ(restore("deep", "<Days>1</Days>", "Fast").code(), "MalformedXML");
  EXPECT_EQ(said("deep"), "");
}

}  // namespace
}  // namespace prefixfs::devs3
