#include "source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prefixfs::config {
namespace {

struct Good {
  std::string source, bucket, prefix;
};
class GoodSource : public testing::TestWithParam<Good> {};
TEST_P(GoodSource, IsSplit) {
  Options options;
  ASSERT_TRUE(parse_source(GetParam().source, options).has_value());
  EXPECT_EQ(options.source, GetParam().source);
  EXPECT_EQ(options.bucket, GetParam().bucket);
  EXPECT_EQ(options.prefix.str(), GetParam().prefix);
}
INSTANTIATE_TEST_SUITE_P(Forms, GoodSource,
                         testing::Values(Good{"s3://bucket", "bucket", ""}, Good{"s3://bucket/", "bucket", ""},
                                         Good{"s3://bucket/a", "bucket", "a/"}, Good{"s3://bucket/a/b/", "bucket", "a/b/"},
                                         Good{"s3://my.bucket-1/a b,c", "my.bucket-1", "a b,c/"},
                                         Good{"s3://b0c/\xc3\xa9", "b0c", "\xc3\xa9/"},
                                         Good{"s3://" + std::string(63, 'a'), std::string(63, 'a'), ""}));

struct Bad {
  std::string source, says;
};
class BadSource : public testing::TestWithParam<Bad> {};
TEST_P(BadSource, IsRefusedWithTheReason) {
  Options options;
  const auto parsed = parse_source(GetParam().source, options);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, Errc::invalid);
  EXPECT_THAT(parsed.error().what, testing::HasSubstr(GetParam().says));
  EXPECT_EQ(options.bucket, "");
}
INSTANTIATE_TEST_SUITE_P(
    Forms, BadSource,
    testing::Values(Bad{"bucket/prefix", "s3://BUCKET/PREFIX"}, Bad{"", "s3://BUCKET"},
                    Bad{"https://bucket.s3.amazonaws.com/a", "s3://BUCKET"}, Bad{"s3://", "3 to 63"}, Bad{"s3:///prefix", "3 to 63"},
                    Bad{"s3://ab", "3 to 63"}, Bad{"s3://" + std::string(64, 'a'), "3 to 63"}, Bad{"s3://Bucket/a", "lower case"},
                    Bad{"s3://my_bucket", "lower case"}, Bad{"s3://bucket:80/a", "lower case"}, Bad{"s3://-bucket", "begin and end"},
                    Bad{"s3://bucket.", "begin and end"}, Bad{"s3://a..b", "begin and end"}, Bad{"s3://bucket/\xff", "UTF-8"},
                    Bad{"s3://bucket/" + std::string(1024, 'a'), "1024"}));

}  // namespace
}  // namespace prefixfs::config
