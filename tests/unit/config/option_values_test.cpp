#include "option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prefixfs::config {
namespace {

using testing::HasSubstr;

TEST(ParseChoice, TellsBuiltPlannedAndUnknownApart) {
  EXPECT_EQ(parse_choice("close", {"close"}, {"journal"}).value(), "close");
  const auto planned = parse_choice("journal", {"close"}, {"journal"});
  EXPECT_EQ(planned.error().code, Errc::unsupported);
  EXPECT_THAT(planned.error().what, HasSubstr("journal is not built yet"));
  const auto unknown = parse_choice("Close", {"close", "open"}, {"journal"});
  EXPECT_EQ(unknown.error().code, Errc::invalid);
  EXPECT_THAT(unknown.error().what, HasSubstr("close, open"));
}

TEST(ParseUser, TakesNumbersAndNames) {
  EXPECT_EQ(parse_user("0").value(), 0);
  EXPECT_EQ(parse_user("4294967294").value(), 4294967294U);
  EXPECT_EQ(parse_user("root").value(), 0);
  EXPECT_EQ(parse_group("root").value(), 0);
}

TEST(ParseUser, RefusesUnknownNamesAndTheReservedNumber) {
  EXPECT_THAT(parse_user("no-such-user").error().what, HasSubstr("no user \"no-such-user\""));
  EXPECT_THAT(parse_group("no-such-group").error().what, HasSubstr("no group"));
  EXPECT_FALSE(parse_user("4294967295").has_value());  // (uid_t)-1 means "leave as it is" to chown
  EXPECT_FALSE(parse_user("-1").has_value());
  EXPECT_FALSE(parse_user("").has_value());
}

TEST(ParseUmask, IsOctal) {
  EXPECT_EQ(parse_umask("022").value(), 022);
  EXPECT_EQ(parse_umask("7").value(), 7);
  EXPECT_EQ(parse_umask("0777").value(), 0777);
  for (const char* text : {"", "8", "1000", "u=rw", "-1", "0x1f"}) {
    EXPECT_FALSE(parse_umask(text).has_value()) << text;
  }
}

TEST(ParseEndpoint, TakesSchemeHostAndPort) {
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:9000").value(), "http://127.0.0.1:9000");
  EXPECT_EQ(parse_endpoint("https://s3.example.org/").value(), "https://s3.example.org");
  EXPECT_EQ(parse_endpoint("http://[::1]:9000").value(), "http://[::1]:9000");
  for (const char* text : {"", "localhost:9000", "ftp://host", "https://", "https://host/path", "https://user@host", "https://host?x",
       "http://a b"}) {
    EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
  }
}

TEST(ParseSse, KnowsS3sKinds) {
  for (const char* text : {"none", "AES256", "aws:kms", "aws:kms:dsse", "aws:kms:alias/resumes",
       "aws:kms:arn:aws:kms:eu-central-1:1:key/ab-12"}) {
    EXPECT_EQ(parse_sse(text).value(), text);
  }
  for (const char* text : {"", "aes256", "aws:kms:", "kms", "aws:kms:a\r\nb"}) {
    EXPECT_FALSE(parse_sse(text).has_value()) << text;
  }
}

TEST(ParseStorageClass, IsATokenForAHeader) {
  EXPECT_EQ(parse_storage_class("GLACIER_IR").value(), "GLACIER_IR");
  EXPECT_FALSE(parse_storage_class("glacier").has_value());
  EXPECT_FALSE(parse_storage_class("").has_value());
}

TEST(ParseRegion, IsAToken) {
  EXPECT_EQ(parse_region("us-gov-west-1").value(), "us-gov-west-1");
  EXPECT_FALSE(parse_region("").has_value());
  EXPECT_FALSE(parse_region("eu/central").has_value());
  EXPECT_FALSE(parse_region("US-EAST-1").has_value());
}

}  // namespace
}  // namespace prefixfs::config
