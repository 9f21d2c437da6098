// Extended attributes as user metadata.

#include "user_xattrs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metadata_names.h"
#include "s3fs_xattrs.h"

namespace prefixfs::vfs {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

UserMetadata put(const meta::Xattrs& xattrs, UserMetadata metadata = {}, MetadataDialect dialect = MetadataDialect::aws) {
  put_xattrs(metadata, xattrs, dialect);
  return metadata;
}

TEST(UserXattrsTest, AFieldIsAnAttribute) {
  EXPECT_THAT(xattrs_in({{"author", "Jo"}, {"file-mtime", "1ns"}, {"mode", "33188"}}), UnorderedElementsAre(Pair("author", "Jo")));
  EXPECT_THAT(put({{"author", "Jo"}}), UnorderedElementsAre(Pair("author", "Jo")));
  EXPECT_THAT(put({{"author", std::nullopt}}, {{"author", "Jo"}, {"title", "x"}}), UnorderedElementsAre(Pair("title", "x")));
}

TEST(UserXattrsTest, WhatNoHeaderCanHoldComesBackAsItWas) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) {
      bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
  }();
  const meta::Xattrs odd{{"Author", "upper case"}, {"author", "lower case"},  {"with space", "x"}, {"\"quoted\\\n", "x"}, {"mode", "not the file's"}, {"xattr", "x"},
                         {"empty", ""},            {"bytes", all_bytes},     {"spaced", " x"},    {"twice", "a  b"},       {"coded", "=?UTF-8?Q?x?="},  {"ümläut", "x"}};
  for (const MetadataDialect dialect : {MetadataDialect::aws, MetadataDialect::s3fs}) {
    const UserMetadata metadata = put(odd, {{"file-mtime", "1ns"}}, dialect);
    EXPECT_EQ(xattrs_in(metadata), odd);
    EXPECT_THAT(metadata, ::testing::SizeIs(dialect == MetadataDialect::aws ? 3 : 2)) << "author, or not even that; all others together; the time";
    for (const auto& [name, value] : metadata) {
      EXPECT_TRUE(std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; }) || name == "author") << name;
    }
  }
}

TEST(UserXattrsTest, WhatIsNotNamedStays) {
  const UserMetadata others{{"title", "100% \"x\""}, {"xattr", "%7B%22user.a%22%3A%22eA%3D%3D%22%2C%22security.capability%22%3A%22eQ%3D%3D%22%7D"}};
  EXPECT_EQ(put({}, others), others);
  EXPECT_EQ(put({{"title", "100% \"x\""}, {"a", "x"}}, others), others) << "it is so already";
  UserMetadata without = put({{"a", std::nullopt}}, others);
  EXPECT_EQ(parse_s3fs_xattrs(without["xattr"]), (S3fsXattrs{{"security.capability", "y"}}));
  EXPECT_EQ(xattrs_in(without), (meta::Xattrs{{"title", "100% \"x\""}}));
}

TEST(UserXattrsTest, AnAttributeStandsInOnePlace) {
  const UserMetadata plain = put({{"a", "x"}});
  const UserMetadata joined = put({{"a", "\n"}}, plain);
  EXPECT_FALSE(joined.contains("a"));
  EXPECT_EQ(xattrs_in(joined), (meta::Xattrs{{"a", "\n"}}));
  EXPECT_EQ(put({{"a", "x"}}, joined), plain);
  EXPECT_THAT(put({{"a", std::nullopt}}, joined), IsEmpty());
}

TEST(UserXattrsTest, TheFieldOfS3fs) {
  EXPECT_EQ(format_s3fs_xattrs({{"user.test", "test"}}), "%7B%22user.test%22%3A%22dGVzdA%3D%3D%22%7D");
  EXPECT_EQ(parse_s3fs_xattrs("%7B%22user.test%22%3A%22dGVzdA%3D%3D%22%7D"), (S3fsXattrs{{"user.test", "test"}}));
  EXPECT_EQ(parse_s3fs_xattrs("{ \"a\" : \"\" , \"b\":\"eA==\" }"), (S3fsXattrs{{"a", ""}, {"b", "x"}}));
  EXPECT_THAT(parse_s3fs_xattrs("%7B%7D"), IsEmpty());
  EXPECT_EQ(parse_s3fs_xattrs("{\"a\":\"no base64\",\"b\":\"eA==\"}"), (S3fsXattrs{{"b", "x"}}));
  for (const char* broken : {"", "{", "x", "{\"a\"}", "{\"a\":}", "{\"a\":\"eA==\"", "{\"a\":\"eA==\",}", "{\"\\u0\":\"\"}", "%7", "{\"a\":\"eA==\"}x{"}) {
    EXPECT_THAT(parse_s3fs_xattrs(broken), ::testing::AnyOf(IsEmpty(), ::testing::SizeIs(1))) << broken;
  }
}

TEST(UserXattrsTest, NamesAndValuesThatAreTooLongAreLeftOut) {
  const std::string long_name(meta::kXattrNameBytesMax + 1, 'n');
  EXPECT_THAT(xattrs_in({{long_name, "x"}, {"a", std::string(meta::kXattrsBytesMax, 'v')}, {"b", "y"}}), UnorderedElementsAre(Pair("b", "y")));
}

}  // namespace
}  // namespace prefixfs::vfs
