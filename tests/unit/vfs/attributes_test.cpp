#include "attributes.h"

#include <gtest/gtest.h>

namespace prefixfs::vfs {
namespace {

ObjectInfo info_with(UserMetadata metadata) {
  ObjectInfo info;
  info.last_modified = WallTime(std::chrono::seconds(1000));
  info.complete = true;
  info.user_metadata = std::move(metadata);
  return info;
}

TEST(AttributesTest, ObjectThatSaysNothingHasTheMountsDefaults) {
  const Settings settings{.uid = 7, .gid = 8, .file_mode = 0640, .directory_mode = 0750};
  const PosixAttributes file = attributes_from(info_with({}), settings, NodeKind::file);
  EXPECT_EQ(file, (PosixAttributes{.mode = 0640, .uid = 7, .gid = 8, .mtime_ns = 1000'000'000'000}));
  EXPECT_EQ(attributes_from(info_with({}), settings, NodeKind::directory).mode, 0750u);
}

TEST(AttributesTest, DialectOfAws) {
  const auto posix = attributes_from(
      info_with({{"file-permissions", "0100600"}, {"file-owner", "501"}, {"file-group", "20"}, {"file-mtime", "1595002920123456789ns"}}),
      {}, NodeKind::file);
  EXPECT_EQ(posix, (PosixAttributes{.mode = 0600, .uid = 501, .gid = 20, .mtime_ns = 1595002920123456789}));
}

TEST(AttributesTest, AwsTimesInMillisecondsAndSeconds) {
  EXPECT_EQ(attributes_from(info_with({{"file-mtime", "1595002920123ms"}}), {}, NodeKind::file).mtime_ns, 1595002920123000000);
  EXPECT_EQ(attributes_from(info_with({{"file-mtime", "1595002920123"}}), {}, NodeKind::file).mtime_ns, 1595002920123000000);
  EXPECT_EQ(attributes_from(info_with({{"file-mtime", "1595002920s"}}), {}, NodeKind::file).mtime_ns, 1595002920000000000);
}

TEST(AttributesTest, DialectOfS3fsHasDecimalModes) {
  const auto info = info_with({{"mode", "33184"}, {"uid", "501"}, {"gid", "20"}, {"mtime", "1595002920.5"}});
  const auto posix = attributes_from(info, {}, NodeKind::file);
  EXPECT_EQ(posix, (PosixAttributes{.mode = 0640, .uid = 501, .gid = 20, .mtime_ns = 1595002920500000000}));
  EXPECT_EQ(attributes_from(info_with({{"mode", "16877"}}), {}, NodeKind::directory).mode, 0755u);
}

TEST(AttributesTest, DialectOfRcloneHasOctalModes) {
  EXPECT_EQ(attributes_from(info_with({{"mode", "100640"}}), {}, NodeKind::file).mode, 0640u);
  EXPECT_EQ(attributes_from(info_with({{"mode", "40750"}}), {}, NodeKind::directory).mode, 0750u);
}

TEST(AttributesTest, S3cmdHasOneHeader) {
  const auto info = info_with({{"s3cmd-attrs", "uid:501/gname:staff/gid:20/mode:33152/mtime:1595002920/md5:ab"}});
  const auto posix = attributes_from(info, {}, NodeKind::file);
  EXPECT_EQ(posix, (PosixAttributes{.mode = 0600, .uid = 501, .gid = 20, .mtime_ns = 1595002920000000000}));
}

TEST(AttributesTest, NonsenseCountsAsAbsent) {
  const auto posix = attributes_from(
      info_with({{"file-permissions", "rwx"}, {"file-owner", "-1"}, {"file-group", ""}, {"file-mtime", "99999999999999999999"}}), {},
      NodeKind::file);
  EXPECT_EQ(posix, default_attributes({}, NodeKind::file, WallTime(std::chrono::seconds(1000))));
  EXPECT_EQ(attributes_from(info_with({{"mtime", "9223372036854775807s"}}), {}, NodeKind::file).mtime_ns, 1000'000'000'000);
}

TEST(AttributesTest, OffReadsNothingAndWritesNothing) {
  const Settings settings{.dialect = MetadataDialect::off};
  EXPECT_EQ(attributes_from(info_with({{"mode", "33152"}}), settings, NodeKind::file).mode, 0644u);
  UserMetadata metadata{{"mode", "33152"}, {"title", "x"}};
  put_attributes(metadata, {.mode = 0600}, settings, NodeKind::file);
  EXPECT_EQ(metadata, (UserMetadata{{"mode", "33152"}, {"title", "x"}}));
}

TEST(AttributesTest, WritingReplacesEveryDialectAndKeepsTheRest) {
  UserMetadata metadata{{"mode", "33152"}, {"uid", "1"}, {"s3cmd-attrs", "uid:1"}, {"title", "x"}};
  put_attributes(metadata, {.mode = 0600, .uid = 5, .gid = 6, .mtime_ns = 42}, {}, NodeKind::file);
  const UserMetadata expected{
      {"file-permissions", "0100600"}, {"file-owner", "5"}, {"file-group", "6"}, {"file-mtime", "42ns"}, {"title", "x"}};
  EXPECT_EQ(metadata, expected);
}

TEST(AttributesTest, DefaultsAreNotWritten) {
  UserMetadata metadata;
  put_attributes(metadata, {.mode = 0644, .uid = 0, .gid = 0, .mtime_ns = 42}, {}, NodeKind::file);
  EXPECT_EQ(metadata, (UserMetadata{{"file-mtime", "42ns"}}));
}

class RoundTripTest : public ::testing::TestWithParam<std::tuple<MetadataDialect, NodeKind, std::uint32_t, std::int64_t>> {};

TEST_P(RoundTripTest, WhatIsWrittenIsReadBack) {
  const auto [dialect, kind, mode, mtime] = GetParam();
  const Settings settings{.dialect = dialect};
  const PosixAttributes posix{.mode = mode, .uid = 501, .gid = 20, .mtime_ns = mtime};
  UserMetadata metadata;
  put_attributes(metadata, posix, settings, kind);
  EXPECT_EQ(attributes_from(info_with(metadata), settings, kind), posix);
}

INSTANTIATE_TEST_SUITE_P(All, RoundTripTest,
                         ::testing::Combine(::testing::Values(MetadataDialect::aws, MetadataDialect::s3fs),
                                            ::testing::Values(NodeKind::file, NodeKind::directory),
                                            ::testing::Values(0u, 04u, 0644u, 0777u, 04755u, 01777u, 07777u),
                                            ::testing::Values(1, 1595002920123456789, -1, -1'500'000'000, 999'999'999)));

}  // namespace
}  // namespace prefixfs::vfs
