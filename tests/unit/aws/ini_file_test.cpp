#include "ini_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prefixfs::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

IniFile parsed(std::string_view text) {
  auto file = parse_ini(text, "/f");
  EXPECT_TRUE(file) << file.error().what;
  return file ? *file : IniFile{};
}

std::string error_in(std::string_view text) {
  const auto file = parse_ini(text, "/home/u/.aws/config");
  EXPECT_FALSE(file);
  if (file) {
    return "";
  }
  EXPECT_EQ(file.error().code, Errc::invalid);
  return file.error().what;
}

TEST(IniFile, SectionsAndSettings) {
  const IniFile file = parsed("[default]\naws_access_key_id = AKIA\naws_secret_access_key=se/cr+et=\n\n[profile two]\nregion=eu-west-1\n");
  EXPECT_THAT(file.sections, ElementsAre(Pair("default", ElementsAre(Pair("aws_access_key_id", "AKIA"),
                                                                     Pair("aws_secret_access_key", "se/cr+et="))),
                                         Pair("profile two", ElementsAre(Pair("region", "eu-west-1")))));
}

TEST(IniFile, CommentsAndBlanks) {
  const IniFile file = parsed(
      "\xEF\xBB\xBF# first\n ; indented comment\n[ default ] # why\n\tname_is_first = x\nRegion =  us-east-1   # note\nurl = "
      "http://h/#part;x\nempty =\n; end");
  EXPECT_THAT(file.sections.at("default"), ElementsAre(Pair("empty", ""), Pair("name_is_first", "x"), Pair("region", "us-east-1"),
                                                       Pair("url", "http://h/#part;x")));
}

TEST(IniFile, WindowsLineEnds) {
  EXPECT_THAT(parsed("[a]\r\nb = c\r\n").sections.at("a"), ElementsAre(Pair("b", "c")));
}

TEST(IniFile, QuotedAndPaddedSectionNames) {
  const IniFile file = parsed("[profile \"two words\"]\na=1\n[profile\t  three]\nb=2\n");
  EXPECT_EQ(file.sections.at("profile two words").at("a"), "1");
  EXPECT_EQ(file.sections.at("profile three").at("b"), "2");
}

TEST(IniFile, NestedSettings) {
  const IniFile file =
      parsed("[services local]\ns3 =\n  endpoint_url = http://minio:9000\n  other = 1 ; note\nsts =\n  endpoint_url = http://s\n");
  EXPECT_THAT(file.sections.at("services local"),
              ElementsAre(Pair("s3", ""), Pair("s3.endpoint_url", "http://minio:9000"), Pair("s3.other", "1"), Pair("sts", ""),
                          Pair("sts.endpoint_url", "http://s")));
}

TEST(IniFile, ContinuedValue) { EXPECT_EQ(parsed("[a]\nb = one\n  two\n").sections.at("a").at("b"), "one\ntwo"); }

TEST(IniFile, SameNamesMerge) {
  const IniFile file = parsed("[a]\nx = 1\ny = 2\n[b]\n[a]\nx = 3\n");
  EXPECT_THAT(file.sections.at("a"), ElementsAre(Pair("x", "3"), Pair("y", "2")));
  EXPECT_TRUE(file.sections.at("b").empty());
}

TEST(IniFile, EmptyFile) {
  EXPECT_TRUE(parsed("").sections.empty());
  EXPECT_TRUE(parsed("\n\n  \n").sections.empty());
}

TEST(IniFile, ErrorsNameFileAndLine) {
  EXPECT_EQ(error_in("[a]\nok = 1\n[b\n"), "/home/u/.aws/config:3: the section has no closing bracket");
  EXPECT_EQ(error_in("x = 1\n"), "/home/u/.aws/config:1: a setting stands before the first [section]");
  EXPECT_EQ(error_in("[a]\n= 1\n"), "/home/u/.aws/config:2: neither a [section] nor \"name = value\"");
  EXPECT_EQ(error_in("[]\n"), "/home/u/.aws/config:1: the section has no name");
  EXPECT_EQ(error_in("[a] b\n"), "/home/u/.aws/config:1: something follows the closing bracket");
  EXPECT_EQ(error_in("[a]\ns3 =\n  nothing\n"), "/home/u/.aws/config:3: a nested setting must be \"name = value\"");
}

TEST(IniFile, ErrorsDoNotQuoteTheLine) { EXPECT_THAT(error_in("[a]\nwJalrXUtnFEMI\n"), Not(HasSubstr("wJalr"))); }

}  // namespace
}  // namespace prefixfs::aws
