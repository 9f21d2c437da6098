#include "prefixfs/base/body.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string_view>
#include <vector>

namespace prefixfs {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(SpanSourceTest, ReadsAnyPart) {
  const SpanSource source(bytes_of("0123456789"));
  EXPECT_EQ(source.size(), 10U);
  std::array<char, 4> out{};
  ASSERT_TRUE(source.read_at(3, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(std::string_view(out.data(), out.size()), "3456");
  ASSERT_TRUE(source.read_at(6, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(std::string_view(out.data(), out.size()), "6789");
  ASSERT_TRUE(source.read_at(3, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(std::string_view(out.data(), out.size()), "3456") << "a retry reads the same again";
}

TEST(SpanSourceTest, ReadsNothing) {
  EXPECT_TRUE(SpanSource(bytes_of("abc")).read_at(3, {}));
  EXPECT_TRUE(SpanSource({}).read_at(0, {}));
  EXPECT_EQ(SpanSource({}).size(), 0U);
}

TEST(SpanSourceTest, RefusesToReadPastTheEnd) {
  const SpanSource source(bytes_of("abc"));
  std::array<std::byte, 2> out{};
  for (const std::uint64_t offset : {std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{4}, std::numeric_limits<std::uint64_t>::max()}) {
    const auto read = source.read_at(offset, out);
    ASSERT_FALSE(read) << offset;
    EXPECT_EQ(read.error().code, Errc::internal);
  }
}

}  // namespace
}  // namespace prefixfs
