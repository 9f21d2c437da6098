#include "http_message.h"

#include <gtest/gtest.h>

namespace prefixfs::devs3 {
namespace {

TEST(ParseHead, KeepsTheTargetAndValuesRaw) {
  const auto request = parse_head("GET /b/a%20b?x=%2F&y HTTP/1.1\r\nHost:  h \r\nX-Amz-Copy-Source: b/a%2520\r\n\r\n");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/b/a%20b");
  EXPECT_EQ(request->query, "x=%2F&y");
  EXPECT_EQ(request->headers.get("host"), "h");
  EXPECT_EQ(request->headers.get("x-amz-copy-source"), "b/a%2520");
  EXPECT_TRUE(request->keep_alive);
}

TEST(ParseHead, LengthExpectConnection) {
  const auto request = parse_head("PUT / HTTP/1.1\r\nContent-Length: 12\r\nExpect: 100-Continue\r\nConnection: Close\r\n\r\n");
  EXPECT_EQ(request->content_length, 12u);
  EXPECT_TRUE(request->expect_continue);
  EXPECT_FALSE(request->keep_alive);
  EXPECT_FALSE(parse_head("GET / HTTP/1.0\r\n\r\n")->keep_alive);
}

TEST(ParseHead, RefusesNonsense) {
  for (const auto* text : {"", "GET\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n",
                           "GET /a b HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", "GET / HTTP/1.1\r\nSpace : x\r\n\r\n"}) {
    EXPECT_FALSE(parse_head(text)) << text;
  }
}

TEST(Headers, SeveralOfOneNameAreJoined) {
  Headers headers;
  headers.add("a", "1");
  headers.add("b", "2");
  headers.add("a", "3");
  EXPECT_EQ(headers.get("a"), "1,3");
  EXPECT_FALSE(headers.has("c"));
  EXPECT_EQ(headers.find("c"), std::nullopt);
}

}  // namespace
}  // namespace prefixfs::devs3
