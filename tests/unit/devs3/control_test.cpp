#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

using ControlInterface = EndpointTest;

TEST_F(ControlInterface, LogTellsEveryRequestInOrderAndNoSecret) {
  put("a%20b", "hello", {{"If-None-Match", "*"}, {"x-amz-meta-k", "v"}});
  get("a%20b", {{"Range", "bytes=1-2"}});
  get("none");
  const auto log = control("GET", "log?since=0");
  ASSERT_EQ(log.size(), 3u);
  EXPECT_EQ(log[0]["operation"], "PutObject");
  EXPECT_EQ(log[0]["key"], "a b");
  EXPECT_EQ(log[0]["bucket"], "bucket");
  EXPECT_EQ(log[0]["bytes_in"], 5);
  EXPECT_EQ(log[0]["if_none_match"], "*");
  EXPECT_EQ(log[0]["headers"]["x-amz-meta-k"], "v");
  EXPECT_FALSE(log[0]["headers"].contains("authorization"));
  EXPECT_EQ(log[1]["status"], 206);
  EXPECT_EQ(log[1]["range"], "bytes=1-2");
  EXPECT_EQ(log[1]["bytes_out"], 2);
  EXPECT_EQ(log[2]["code"], "NoSuchKey");
  EXPECT_EQ(control("GET", "log?since=" + log[1]["seq"].dump()).size(), 1u);
  control("POST", "log/clear");
  EXPECT_EQ(control("GET", "log").size(), 0u);
}

TEST_F(ControlInterface, ExpireRemovesWithoutARequest) {
  put("a", "x");
  control("POST", "log/clear");
  control("POST", "objects/expire", R"({"bucket":"bucket","key":"a"})");
  EXPECT_EQ(get("a").status, 404);
  EXPECT_EQ(control("GET", "log").size(), 1u);
}

TEST_F(ControlInterface, ClockMovesTheServersTime) {
  control("POST", "clock", R"({"offset_seconds":3600})");
  EXPECT_EQ(get("a").code(), "RequestTimeTooSkewed");
  control("POST", "clock", R"({"offset_seconds":0})");
  EXPECT_EQ(get("a").code(), "NoSuchKey");
}

TEST_F(ControlInterface, OnlyWhereItWasAskedFor) {
  settings_.control = false;
  restart();
  EXPECT_EQ(send({.target = "/_devs3/log", .sign = false}).status, 403);
}

TEST_F(ControlInterface, UnknownCalls) { EXPECT_TRUE(control("GET", "nothing").contains("error")); }

}  // namespace
}  // namespace prefixfs::devs3
