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

TEST(AttributesTest, RcloneWritesAnAtimeAsADate) {
  const auto atime = [](const char* text) { return attributes_from(info_with({{"mtime", "5"}, {"atime", text}}), {}, NodeKind::file).atime_ns; };
  EXPECT_EQ(atime("2020-09-13T12:26:40.123456789Z"), 1600000000123456789);
  EXPECT_EQ(atime("2020-09-13T14:26:40.5+02:00"), 1600000000500000000);
  EXPECT_EQ(atime("2020-09-13T08:56:40-03:30"), 1600000000000000000);
  for (const char* nonsense : {"T", "2020-09-13T12:26:40", "2020-09-13T12:26:40+2:00", "2020-13-13T12:26:40Z", "+02:00T", "2020-09-13T12:26:40*02:00"}) {
    EXPECT_EQ(atime(nonsense), std::nullopt) << nonsense;
  }
}

TEST(AttributesTest, WhatS3fsHasChangedOfAnObjectInAwssWordsCounts) {
  UserMetadata metadata{{"file-permissions", "0100600"}, {"file-owner", "5"}, {"file-mtime", "7ns"}, {"mode", "33156"}, {"uid", "6"}};
  EXPECT_EQ(attributes_from(info_with(metadata), {}, NodeKind::file), (PosixAttributes{.mode = 0600, .uid = 5, .mtime_ns = 7}));
  metadata["ctime"] = "1795793124";
  EXPECT_EQ(attributes_from(info_with(metadata), {}, NodeKind::file), (PosixAttributes{.mode = 0604, .uid = 6, .mtime_ns = 7}));
  metadata.erase("mode");
  EXPECT_EQ(attributes_from(info_with(metadata), {}, NodeKind::file).mode, 0600u);
}

TEST(AttributesTest, S3cmdHasOneHeader) {
  const auto info = info_with({{"s3cmd-attrs", "uid:501/gname:staff/gid:20/mode:33152/mtime:1595002920/md5:ab"}});
  const auto posix = attributes_from(info, {}, NodeKind::file);
  EXPECT_EQ(posix, (PosixAttributes{.mode = 0600, .uid = 501, .gid = 20, .mtime_ns = 1595002920000000000}));
}

TEST(AttributesTest, TheTypeIsInTheMode) {
  const auto kind = [](const char* permissions, std::uint64_t size) {
    ObjectInfo info = info_with({{"file-permissions", permissions}});
    info.size = size;
    return type_from(info, {}).kind;
  };
  EXPECT_EQ(kind("0100644", 1), NodeKind::file);
  EXPECT_EQ(kind("0644", 0), NodeKind::file);
  EXPECT_EQ(kind("0120777", 1), NodeKind::symlink);
  EXPECT_EQ(kind("0120777", 4095), NodeKind::symlink);
  EXPECT_EQ(kind("0120777", 0), NodeKind::file);
  EXPECT_EQ(kind("0120777", 4096), NodeKind::file);
  EXPECT_EQ(kind("0010644", 0), NodeKind::fifo);
  EXPECT_EQ(kind("0010644", 1), NodeKind::file);
  EXPECT_EQ(kind("0140644", 0), NodeKind::socket);
  EXPECT_EQ(kind("0020644", 0), NodeKind::character_device);
  EXPECT_EQ(kind("0060644", 0), NodeKind::block_device);
  EXPECT_EQ(kind("0040755", 0), NodeKind::file);
  EXPECT_EQ(kind("0200000", 0), NodeKind::file);
}

TEST(AttributesTest, ADecimalFifoIsNoSetIdBit) {
  ObjectInfo info = info_with({{"mode", "4516"}});
  EXPECT_EQ(type_from(info, {}).kind, NodeKind::fifo);
  info.size = 1;
  EXPECT_EQ(type_from(info, {}).kind, NodeKind::file);
  EXPECT_EQ(attributes_from(info, {}, NodeKind::file).mode, 04516u);
}

TEST(AttributesTest, TheMkdirOfS3fsWritesADecimalModeWithoutAType) {
  const auto mode = [](const char* text) {
    ObjectInfo info = info_with({{"mode", text}});
    info.key = Key("dir/");
    return attributes_from(info, {}, NodeKind::directory).mode;
  };
  EXPECT_EQ(mode("457"), 0711u);
  EXPECT_EQ(mode("511"), 0777u);
  EXPECT_EQ(mode("493"), 0755u);
  EXPECT_EQ(mode("1023"), 01777u);
  EXPECT_EQ(mode("16841"), 0711u);
  EXPECT_EQ(mode("40711"), 0711u);  // rclone
  EXPECT_EQ(mode("0711"), 0711u);
}

TEST(AttributesTest, TheTargetOfGeesefs) {
  const auto target = [](std::string_view text) { return type_from(info_with({{"--symlink-target", std::string(text)}}), {}).target; };
  EXPECT_EQ(target("a%2fb%20%25"), "a/b %");
  EXPECT_EQ(target("a/b"), "a/b");
  EXPECT_EQ(target("100%"), "100%");
  EXPECT_EQ(target("%zz"), "%zz");
  EXPECT_EQ(target(""), std::nullopt);
  EXPECT_EQ(target("a%00"), std::nullopt);
}

TEST(AttributesTest, AnAtimeOfItsOwn) {
  EXPECT_EQ(attributes_from(info_with({{"file-mtime", "5ns"}, {"file-atime", "7ns"}}), {}, NodeKind::file).atime_ns, 7);
  EXPECT_EQ(attributes_from(info_with({{"mtime", "5"}, {"atime", "7.5"}}), {}, NodeKind::file).atime_ns, 7'500'000'000);
  EXPECT_EQ(attributes_from(info_with({{"file-mtime", "5ns"}, {"file-atime", "5ns"}}), {}, NodeKind::file).atime_ns, std::nullopt);
  PosixAttributes posix{.mode = 0644, .mtime_ns = 5};
  apply({.mtime_ns = 6}, posix);
  EXPECT_EQ(posix.atime_ns, 5) << "utimensat with UTIME_OMIT";
  apply({.atime_ns = 6}, posix);
  EXPECT_EQ(posix.atime_ns, std::nullopt);
  apply({.mtime_ns = 9, .atime_ns = 8}, posix);
  UserMetadata metadata;
  put_attributes(metadata, posix, {}, NodeKind::file);
  EXPECT_EQ(metadata, (UserMetadata{{"file-mtime", "9ns"}, {"file-atime", "8ns"}}));
  EXPECT_EQ(attributes_from(info_with(metadata), {}, NodeKind::file), posix);
}

TEST(AttributesTest, SetIdBitsGoWithTheOwner) {
  const auto after = [](std::uint32_t mode, const SetAttributes& changes) {
    PosixAttributes posix{.mode = mode};
    apply(changes, posix);
    return posix.mode;
  };
  EXPECT_EQ(after(06755, {.uid = 1, .drops_set_id = true}), 0755u);
  EXPECT_EQ(after(02745, {.gid = 1, .drops_set_id = true}), 02745u) << "mandatory locking, once";
  EXPECT_EQ(after(06755, {.mode = 04755, .uid = 1, .drops_set_id = true}), 04755u);
  EXPECT_EQ(after(06755, {.uid = 1}), 06755u);
}

TEST(AttributesTest, NonsenseIsNamed) {
  const auto nonsense = [](UserMetadata metadata) { return nonsense_in(info_with(std::move(metadata)), {}); };
  EXPECT_EQ(nonsense({{"file-permissions", "0100644"}, {"file-owner", "0"}, {"file-mtime", "-5ns"}, {"title", "x"}}), std::nullopt);
  for (const UserMetadata& metadata : {UserMetadata{{"file-permissions", "99999"}}, UserMetadata{{"mode", "99999"}}, UserMetadata{{"mode", "0"}},
                                       UserMetadata{{"file-permissions", "0040755"}}, UserMetadata{{"file-owner", "4294967295"}},
                                       UserMetadata{{"gid", "-1"}}, UserMetadata{{"file-mtime", "-9223372036854775808s"}}, UserMetadata{{"atime", "soon"}}}) {
    EXPECT_TRUE(nonsense(metadata)) << metadata.begin()->second;
    const PosixAttributes posix = attributes_from(info_with(metadata), {}, NodeKind::file);
    EXPECT_EQ(posix.mode & ~0777u, 0u);
    EXPECT_EQ(posix.uid, 0u);
    EXPECT_EQ(posix.gid, 0u);
    EXPECT_EQ(posix.mtime_ns, 1000'000'000'000);
  }
  ObjectInfo marker = info_with({{"file-permissions", "0040755"}});
  marker.key = Key("dir/");
  EXPECT_EQ(nonsense_in(marker, {}), std::nullopt);
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
  UserMetadata metadata{{"mode", "33152"}, {"uid", "1"}, {"ctime", "7"}, {"s3cmd-attrs", "uid:1"}, {"title", "x"}};
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
