// What a killed process leaves of a tracked file.

#include "staged_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "prefixfs/stage/staged_file.h"
#include "support/seed.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

class StagedLogTest : public testing::Test {
 protected:
  std::unique_ptr<StageDirectory> open(const std::string& boot = "boot") {
    auto opened = StageDirectory::open(directory_.path() / "state", 1 << 20, boot);
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  /// What another process would find now.
  std::optional<FormerFile> found(const StagedFile& file, const std::string& boot = "boot") const {
    return StagedLog::read(directory_.path() / "state" / "open" / file.path().filename(), boot);
  }
  static void expect_same(const FormerFile& former, const StagedFile& file) {
    const FileState now = file.state();
    EXPECT_EQ(former.state.name, now.name);
    EXPECT_EQ(former.state.size, now.size);
    EXPECT_EQ(former.state.base_size, now.base_size);
    EXPECT_EQ(former.state.valid, now.valid);
    EXPECT_EQ(former.state.dirty, now.dirty);
  }

  test::TempDir directory_;
};

TEST_F(StagedLogTest, an_untracked_file_leaves_nothing) {
  const auto stage = open();
  const auto file = *stage->create(0);
  EXPECT_TRUE(file->write(0, bytes_of("text")));
  EXPECT_FALSE(found(*file));
}

TEST_F(StagedLogTest, what_was_there_before_and_what_comes_is_found) {
  const auto stage = open();
  const auto file = *stage->create(100);
  EXPECT_TRUE(file->fill(10, bytes_of(std::string(20, 'f'))));
  EXPECT_TRUE(file->write(15, bytes_of("dirty")));
  file->track("note one");
  expect_same(*found(*file), *file);
  EXPECT_TRUE(file->write(120, bytes_of("behind the end"), 77));
  EXPECT_TRUE(file->resize(12));
  file->track("note two");
  const auto former = found(*file);
  expect_same(*former, *file);
  EXPECT_EQ(former->note, "note two");
  EXPECT_EQ(former->last_request, 77u);
}

TEST_F(StagedLogTest, writes_in_order_are_one_record) {
  const auto stage = open();
  const auto file = *stage->create(0);
  file->track("");
  const auto path = directory_.path() / "state" / "open" / file->path().filename();
  EXPECT_TRUE(file->write(0, bytes_of("x"), 1));
  const auto size = std::filesystem::file_size(path);
  for (std::uint64_t i = 1; i < 1000; ++i) {
    EXPECT_TRUE(file->write(i, bytes_of("x"), i + 1));
  }
  EXPECT_EQ(std::filesystem::file_size(path), size);
  expect_same(*found(*file), *file);
  EXPECT_EQ(found(*file)->last_request, 1000u);
}

TEST_F(StagedLogTest, the_log_goes_with_the_file_and_with_untrack) {
  const auto stage = open();
  auto file = *stage->create(0);
  file->track("note");
  file->untrack();
  EXPECT_FALSE(found(*file));
  file->track("note");
  const auto path = directory_.path() / "state" / "open" / file->path().filename();
  file.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(StagedLogTest, another_boot_and_nonsense_are_not_believed) {
  const auto stage = open();
  const auto file = *stage->create(0);
  file->track("note");
  EXPECT_FALSE(found(*file, "another boot"));
  const auto path = directory_.path() / "state" / "open" / file->path().filename();
  std::ofstream(path) << "prefixfs open 1\nboot\nnonsense";
  EXPECT_FALSE(found(*file));
  std::ofstream(path) << "something else";
  EXPECT_FALSE(found(*file));
}

TEST_F(StagedLogTest, a_record_that_is_not_whole_ends_the_log) {
  const auto stage = open();
  const auto file = *stage->create(0);
  EXPECT_TRUE(file->write(0, bytes_of("first")));
  file->track("note");
  const FileState before = file->state();
  const auto path = directory_.path() / "state" / "open" / file->path().filename();
  const auto size = std::filesystem::file_size(path);
  EXPECT_TRUE(file->resize(3));
  std::filesystem::resize_file(path, size + 7);
  EXPECT_EQ(found(*file)->state.size, before.size);
}

TEST_F(StagedLogTest, random_changes_are_found) {
  const test::Seed seed;
  auto engine = seed.engine();
  const auto stage = open();
  const auto file = *stage->create(5000);
  file->track("note");
  for (int step = 0; step < 500; ++step) {
    const std::uint64_t at = engine() % 8000;
    const std::string data(engine() % 300 + 1, 'x');
    switch (engine() % 6) {
      case 0:
      case 1:
        EXPECT_TRUE(file->write(at, bytes_of(data)));
        break;
      case 2:
        EXPECT_TRUE(file->fill(at, bytes_of(data)));
        break;
      case 3:
        EXPECT_TRUE(file->resize(at));
        break;
      case 4:
        file->drop_clean({at, at + 4096});
        break;
      default:
        file->mark_clean(file->change_count());
    }
    expect_same(*found(*file), *file);
  }
}

TEST_F(StagedLogTest, another_process_goes_on_with_the_file) {
  FormerFile former;
  std::string name;
  {
    const auto stage = open();
    const auto file = *stage->create(0);
    EXPECT_TRUE(file->write(0, bytes_of("written"), 9));
    file->track("note");
    file->retain(true);
    former = *found(*file);
    name = file->path().filename();
    // A killed process removes nothing.
    std::filesystem::copy(directory_.path() / "state" / "open" / name, directory_.path() / "log");
  }
  std::filesystem::rename(directory_.path() / "log", directory_.path() / "state" / "open" / name);
  const auto stage = open();
  const auto files = stage->former();
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1u);
  const auto adopted = stage->reopen(files->front());
  ASSERT_TRUE(adopted);
  EXPECT_TRUE(stage->remove_unclaimed(false));
  EXPECT_EQ((*adopted)->last_request(), 9u);
  std::string text(7, '\0');
  EXPECT_EQ(*(*adopted)->read(0, std::as_writable_bytes(std::span(text))), 7u);
  EXPECT_EQ(text, "written");
}

}  // namespace
}  // namespace prefixfs::stage
