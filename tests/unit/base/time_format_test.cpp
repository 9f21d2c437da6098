#include "prefixfs/base/time_format.h"

#include <gtest/gtest.h>

#include "support/seed.h"

namespace prefixfs {
namespace {

using namespace std::chrono_literals;

// The date of the examples in the Signature Version 4 documentation.
constexpr WallTime kMay2013(1'369'353'600s);

TEST(TimeFormatTest, WritesTheThreeForms) {
  EXPECT_EQ(format_http_date(kMay2013), "Fri, 24 May 2013 00:00:00 GMT");
  EXPECT_EQ(format_iso8601(kMay2013), "2013-05-24T00:00:00.000Z");
  EXPECT_EQ(format_iso8601_basic(kMay2013), "20130524T000000Z");
}

TEST(TimeFormatTest, RoundsDownAlsoBefore1970) {
  EXPECT_EQ(format_iso8601(WallTime(1s + 999'999'999ns)), "1970-01-01T00:00:01.999Z");
  EXPECT_EQ(format_iso8601(WallTime(-1ns)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_http_date(WallTime(-1ns)), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(format_iso8601_basic(WallTime(-1s)), "19691231T235959Z");
}

TEST(TimeFormatTest, KnowsEveryMonthAndLeapDays) {
  EXPECT_EQ(format_http_date(WallTime(951'782'400s)), "Tue, 29 Feb 2000 00:00:00 GMT");
  for (int month = 1; month <= 12; ++month) {
    const WallTime time = std::chrono::sys_days(std::chrono::year(2024) / month / 15) + 13h + 14min + 15s;
    EXPECT_EQ(parse_http_date(format_http_date(time)), time) << month;
  }
}

TEST(TimeFormatTest, ReadsHttpDates) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), WallTime(784'111'777s));  // the example of RFC 9110
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), WallTime(1'483'228'800s)) << "a leap second";
}

TEST(TimeFormatTest, RefusesWhatIsNoHttpDate) {
  for (const char* text :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:+7 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(TimeFormatTest, ReadsIsoTimesWithAndWithoutAFraction) {
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00Z"), kMay2013);
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00.5Z"), kMay2013 + 500ms);
  EXPECT_EQ(parse_iso8601("2013-05-24T01:02:03.000Z"), kMay2013 + 1h + 2min + 3s);
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00.000000001Z"), kMay2013 + 1ns);
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00.999999999Z"), kMay2013 + 999'999'999ns);
}

TEST(TimeFormatTest, RefusesWhatIsNoIsoTime) {
  for (const char* text : {"", "2013-05-24", "2013-05-24T00:00:00", "2013-05-24T00:00:00.Z", "2013-05-24T00:00:00.1234567890Z",
                           "2013-05-24T00:00:00+00:00", "2013-05-24 00:00:00Z", "2013-05-24T00:00:00ZZ", "2013-13-24T00:00:00Z",
                           "2013-02-29T00:00:00Z", "2013-05-24T25:00:00Z", "2013-5-24T00:00:00Z", "20130524T000000Z",
                           "2013-05-24T00:00:00.1x3Z", "-013-05-24T00:00:00Z"}) {
    EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
  }
}

TEST(TimeFormatTest, ReadsTheBasicForm) {
  EXPECT_EQ(parse_iso8601_basic("20130524T000000Z"), kMay2013);
  for (const char* text : {"", "2013-05-24T00:00:00Z", "20130524T000000", "20130524T000000.1Z", "20130524000000Z", "20130532T000000Z"}) {
    EXPECT_EQ(parse_iso8601_basic(text), std::nullopt) << text;
  }
}

TEST(TimeFormatTest, RefusesYearsThatDoNotFitIntoNanoseconds) {
  EXPECT_EQ(parse_iso8601("9999-12-31T23:59:59Z"), std::nullopt);
  EXPECT_EQ(parse_iso8601("0001-01-01T00:00:00Z"), std::nullopt);
  EXPECT_EQ(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT"), std::nullopt);
  for (const char* text : {"1678-01-01T00:00:00.000Z", "2261-12-31T23:59:59.999Z"}) {
    const auto time = parse_iso8601(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(format_iso8601(*time), text);
  }
}

TEST(TimeFormatTest, WhatIsWrittenCanBeRead) {
  const test::Seed seed;
  auto engine = seed.engine();
  std::uniform_int_distribution<std::int64_t> milliseconds(-9'000'000'000'000, 9'000'000'000'000);
  for (int i = 0; i < 2000; ++i) {
    const WallTime time(std::chrono::milliseconds(milliseconds(engine)));
    const WallTime whole = std::chrono::floor<std::chrono::seconds>(time);
    ASSERT_EQ(parse_iso8601(format_iso8601(time)), time) << format_iso8601(time);
    ASSERT_EQ(parse_http_date(format_http_date(time)), whole) << format_http_date(time);
    ASSERT_EQ(parse_iso8601_basic(format_iso8601_basic(time)), whole) << format_iso8601_basic(time);
  }
}

}  // namespace
}  // namespace prefixfs
