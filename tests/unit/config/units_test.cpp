#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prefixfs/config/options.h"

namespace prefixfs::config {
namespace {

using namespace std::chrono_literals;

TEST(ParseSize, KnowsUnitsAsPowersOf1024) {
  EXPECT_EQ(parse_size("0").value(), 0);
  EXPECT_EQ(parse_size("1024").value(), 1024);
  EXPECT_EQ(parse_size("12B").value(), 12);
  EXPECT_EQ(parse_size("8K").value(), 8ULL << 10);
  EXPECT_EQ(parse_size("8m").value(), 8ULL << 20);
  EXPECT_EQ(parse_size("3GiB").value(), 3ULL << 30);
  EXPECT_EQ(parse_size("2T").value(), 2ULL << 40);
}

TEST(ParseSize, TakesFractions) {
  EXPECT_EQ(parse_size("1.5GiB").value(), 3ULL << 29);
  EXPECT_EQ(parse_size("0.5K").value(), 512);
}

TEST(ParseSize, KeepsLargeWholeNumbersExact) { EXPECT_EQ(parse_size("9007199254740993").value(), 9007199254740993ULL); }

class BadSize : public testing::TestWithParam<const char*> {};
TEST_P(BadSize, IsRefused) {
  const auto size = parse_size(GetParam());
  ASSERT_FALSE(size.has_value());
  EXPECT_EQ(size.error().code, Errc::invalid);
  EXPECT_THAT(size.error().what, testing::HasSubstr("8M"));
}
INSTANTIATE_TEST_SUITE_P(Texts, BadSize,
                         testing::Values("", "M", "-1", "+1", "1X", "1 M", " 1", "1e3", "0x10", "1.2.3", "inf", "nan", "9000000T",
                                         "99999999999999999999", "1MM"));

TEST(ParseDuration, KnowsUnits) {
  EXPECT_EQ(parse_duration("10").value(), 10s);
  EXPECT_EQ(parse_duration("10s").value(), 10s);
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("0.25").value(), 250ms);
  EXPECT_EQ(parse_duration("5m").value(), 5min);
  EXPECT_EQ(parse_duration("2h").value(), 2h);
  EXPECT_EQ(parse_duration("0").value(), 0ms);
}

class BadDuration : public testing::TestWithParam<const char*> {};
TEST_P(BadDuration, IsRefused) { EXPECT_FALSE(parse_duration(GetParam()).has_value()); }
INSTANTIATE_TEST_SUITE_P(Texts, BadDuration, testing::Values("", "s", "-1s", "1d", "1 s", "forever", "9000h", "1e9"));

}  // namespace
}  // namespace prefixfs::config
