#include "prefixfs/object/byte_range.h"

#include <gtest/gtest.h>

namespace prefixfs {
namespace {

TEST(ByteRangeTest, KnowsItsLength) {
  EXPECT_EQ((ByteRange{3, 10}.length()), 7U);
  EXPECT_EQ((ByteRange{3, 3}.length()), 0U);
  EXPECT_EQ((ByteRange{10, 3}.length()), 0U);
  EXPECT_TRUE((ByteRange{10, 3}.empty()));
  EXPECT_FALSE((ByteRange{3, 4}.empty()));
}

TEST(ByteRangeTest, ContainsItselfItsPartsAndNothing) {
  const ByteRange range{10, 20};
  EXPECT_TRUE(range.contains({10, 20}));
  EXPECT_TRUE(range.contains({12, 13}));
  EXPECT_TRUE(range.contains({99, 99}));
  EXPECT_FALSE(range.contains({9, 11}));
  EXPECT_FALSE(range.contains({19, 21}));
  EXPECT_FALSE(range.contains({0, 30}));
}

TEST(ByteRangeTest, Intersects) {
  const ByteRange range{10, 20};
  EXPECT_EQ(range.intersect({15, 30}), (ByteRange{15, 20}));
  EXPECT_EQ(range.intersect({0, 12}), (ByteRange{10, 12}));
  EXPECT_EQ(range.intersect({0, 30}), range);
  EXPECT_TRUE(range.intersect({20, 30}).empty());
  EXPECT_TRUE(range.intersect({0, 5}).empty());
  EXPECT_TRUE(range.intersect({25, 30}).empty());
}

}  // namespace
}  // namespace prefixfs
