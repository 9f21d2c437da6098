// What the commands print and find: JSON, entries of mounts, kept files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "json_text.h"
#include "kept_files.h"
#include "prefixfs/admin/mount_entry.h"
#include "prefixfs/base/fields.h"
#include "report_fields.h"
#include "support/temp_dir.h"

namespace prefixfs::admin {
namespace {

TEST(JsonText, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(json_text("plain"), "\"plain\"");
  EXPECT_EQ(json_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(json_text(std::string_view("\0\n\x1f", 3)).find('\n'), std::string::npos);
  EXPECT_EQ(json_text("\xff"), "\"\\ufffd\"");
  EXPECT_EQ(json_text("Lebenslauf ä €"), "\"Lebenslauf ä €\"");
}

TEST(JsonText, ObjectsAndArrays) {
  JsonArray array;
  array.add(JsonObject().text("name", "x").number("bytes", 7).truth("parked", false).text_or_null("error", "").str());
  EXPECT_EQ(array.str(), R"([{"name": "x", "bytes": 7, "parked": false, "error": null}])");
}

TEST(MountEntryTest, IsFoundByItsMountpointAndGoesWithItsOwnMountOnly) {
  const test::TempDir directory;
  const std::string entries = directory.file("entries");
  const std::string mountpoint = directory.file("mnt");
  std::filesystem::create_directory(mountpoint);
  ASSERT_TRUE(enter_mount(entries, {mountpoint, "/cache/one"}));
  EXPECT_EQ(find_mount(entries, mountpoint)->cache_dir, "/cache/one");
  ASSERT_TRUE(enter_mount(entries, {mountpoint, "/cache/two"}));
  remove_mount(entries, {mountpoint, "/cache/one"});
  EXPECT_EQ(find_mount(entries, mountpoint)->cache_dir, "/cache/two");
  remove_mount(entries, {mountpoint, "/cache/two"});
  EXPECT_EQ(find_mount(entries, mountpoint).error().code, Errc::not_found);
  EXPECT_EQ(find_mount(directory.file("nowhere"), mountpoint).error().code, Errc::not_found);
}

TEST(ReportFields, WhatARestoreCameToIsReadAsItWasWritten) {
  using Kind = RestoreOutcome::Kind;
  for (const Kind kind : {Kind::started, Kind::in_progress, Kind::restored, Kind::not_archived}) {
    EXPECT_EQ(restore_outcome_from(to_fields(RestoreOutcome{.kind = kind})), RestoreOutcome{.kind = kind});
  }
  const RestoreOutcome dated{.kind = Kind::restored, .until = WallTime(std::chrono::hours(500'000))};
  EXPECT_EQ(restore_outcome_from(to_fields(dated)), dated);
}

class KeptFilesTest : public testing::Test {
 protected:
  void keep(const std::string& id, const std::string& bytes, const std::string& why = {}) {
    const std::filesystem::path kept = directory_.path() / "kept";
    std::filesystem::create_directories(kept);
    std::ofstream(kept / id) << bytes;
    if (!why.empty()) {
      std::ofstream(kept / (id + ".why")) << why;
    }
  }
  test::TempDir directory_;
};

TEST_F(KeptFilesTest, AreListedWithWhatIsKnownOfThem) {
  keep("20261126T080000Z-1-a.pdf", "bytes", Fields{{"key", "dir/a.pdf"}, {"reason", "changed by another client"}}.text());
  keep("20261126T080001Z-2-b.pdf", "more bytes");
  const auto files = list_kept(directory_.path());
  ASSERT_TRUE(files) << files.error().what;
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].key, "dir/a.pdf");
  EXPECT_EQ((*files)[0].reason, "changed by another client");
  EXPECT_EQ((*files)[0].bytes, 5u);
  EXPECT_EQ((*files)[1].key, "") << "kept without a word";
  EXPECT_EQ((*files)[1].bytes, 10u);
}

TEST_F(KeptFilesTest, AreFoundByTheBeginningOfTheirName) {
  keep("20261126T080000Z-1-a.pdf", "a");
  keep("20261126T080001Z-2-b.pdf", "b");
  EXPECT_EQ(find_kept(directory_.path(), "20261126T080001Z")->id, "20261126T080001Z-2-b.pdf");
  EXPECT_EQ(find_kept(directory_.path(), "2026").error().code, Errc::invalid);
  EXPECT_EQ(find_kept(directory_.path(), "x").error().code, Errc::not_found);
}

TEST_F(KeptFilesTest, GoWithWhatWasWrittenAboutThem) {
  keep("20261126T080000Z-1-a.pdf", "a", Fields{{"key", "a.pdf"}}.text());
  EXPECT_TRUE(remove_kept(*find_kept(directory_.path(), "2026")));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "kept"));
}

}  // namespace
}  // namespace prefixfs::admin
