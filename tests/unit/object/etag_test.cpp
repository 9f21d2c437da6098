#include "prefixfs/object/etag.h"

#include <gtest/gtest.h>

namespace prefixfs {
namespace {

TEST(ETagTest, IsTheSameHoweverItIsQuoted) {
  const ETag tag = ETag::from_wire("\"d41d8cd98f00b204e9800998ecf8427e\"");
  EXPECT_EQ(tag.str(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(tag.quoted(), "\"d41d8cd98f00b204e9800998ecf8427e\"");
  EXPECT_EQ(tag, ETag::from_wire("d41d8cd98f00b204e9800998ecf8427e"));
  EXPECT_EQ(tag, ETag::from_wire("&quot;d41d8cd98f00b204e9800998ecf8427e&quot;"));
}

TEST(ETagTest, KeepsThePartCountOfMultipartUploads) {
  EXPECT_EQ(ETag::from_wire("\"9b2cf535f27731c974343645a3985328-12\"").str(), "9b2cf535f27731c974343645a3985328-12");
}

TEST(ETagTest, TakesAwayOnePairOnly) {
  EXPECT_EQ(ETag::from_wire("\"\"").str(), "");
  EXPECT_TRUE(ETag::from_wire("").empty());
  EXPECT_EQ(ETag::from_wire("\"").str(), "\"");
  EXPECT_EQ(ETag::from_wire("\"abc").str(), "\"abc");
  EXPECT_EQ(ETag::from_wire("&quot;").str(), "&quot;");
  EXPECT_EQ(ETag::from_wire("\"\"abc\"\"").str(), "\"abc\"");
}

TEST(ETagTest, AWeakTagEqualsNoStrongOne) {
  EXPECT_NE(ETag::from_wire("W/\"abc\""), ETag::from_wire("\"abc\""));
  EXPECT_FALSE(ETag::from_wire("W/\"abc\"").empty());
}

TEST(ETagTest, RefusesWhatWouldBreakAHeader) {
  EXPECT_TRUE(ETag::from_wire("\"abc\r\nx-amz-acl: public-read\"").empty());
  EXPECT_TRUE(ETag::from_wire(std::string_view("a\0b", 3)).empty());
}

}  // namespace
}  // namespace prefixfs
