#include "range.h"

#include <gtest/gtest.h>

namespace prefixfs::devs3 {
namespace {

TEST(Range, Forms) {
  EXPECT_EQ(**read_range("bytes=0-0", 10), (ByteRange{0, 1}));
  EXPECT_EQ(**read_range("bytes=3-", 10), (ByteRange{3, 10}));
  EXPECT_EQ(**read_range("bytes=-4", 10), (ByteRange{6, 10}));
  EXPECT_EQ(**read_range("bytes=-40", 10), (ByteRange{0, 10}));
  EXPECT_EQ(**read_range("bytes=5-18446744073709551614", 10), (ByteRange{5, 10}));
}

TEST(Range, IgnoredOnes) {
  for (const auto* header : {"", "bytes", "items=0-1", "bytes=a-b", "bytes=5-1", "bytes=0-1,3-4", "bytes=-", "bytes=1-2x"}) {
    EXPECT_EQ(*read_range(header, 10), std::nullopt) << header;
  }
}

TEST(Range, Unsatisfiable) {
  for (const auto* header : {"bytes=10-", "bytes=10-12", "bytes=-0"}) {
    EXPECT_EQ(read_range(header, 10).error().status, 416) << header;
  }
  EXPECT_EQ(read_range("bytes=0-0", 0).error().code, "InvalidRange");
  EXPECT_EQ(read_range("bytes=-1", 0).error().code, "InvalidRange");
}

TEST(CopyRange, MustBeWhole) {
  EXPECT_EQ(*read_copy_range("bytes=2-9", 10), (ByteRange{2, 10}));
  for (const auto* header : {"bytes=2-10", "bytes=2-", "bytes=-2", "2-3"}) {
    EXPECT_EQ(read_copy_range(header, 10).error().code, "InvalidArgument") << header;
  }
}

}  // namespace
}  // namespace prefixfs::devs3
