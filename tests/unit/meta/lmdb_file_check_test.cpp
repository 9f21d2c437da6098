// A journal that a failing disk or a hand has damaged: an error that names it, never a signal, and nothing is changed.

#include "lmdb_file_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "open_meta.h"
#include "prefixfs/meta/journal.h"
#include "support/seed.h"
#include "support/temp_dir.h"

namespace prefixfs::meta {
namespace {

constexpr std::size_t kPage = 4096;

Intent removal(IntentId id) {
  return {.id = id, .kind = IntentKind::remove, .path = "directory/name " + std::to_string(id), .last_error = std::string(id % 7 == 0 ? 4000 : 50, 'e')};
}

class LmdbFileCheckTest : public ::testing::Test {
 protected:
  /// With branches, leaves, values that have pages of their own, and free pages.
  void SetUp() override {
    const auto store = open();
    ASSERT_TRUE(store) << describe(store.error());
    JournalChange change;
    for (IntentId id = 1; id <= 200; ++id) {
      change.put.push_back(removal(id));
    }
    ASSERT_TRUE(store->journal->apply(change));
    ASSERT_TRUE(store->journal->apply({.put = {}, .erase = {7, 8, 9, 10}}));
  }
  Result<MetaStore> open() { return open_meta({.directory = temp_.str(), .source = "test", .cache_map_bytes = 16 << 20, .journal_map_bytes = 16 << 20}, "boot"); }

  std::string bytes() {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary | std::ios::trunc) << text; }

  test::TempDir temp_;
  const std::string path_ = temp_.file("journal/data.mdb");
};

TEST_F(LmdbFileCheckTest, a_whole_journal_is_whole) { EXPECT_TRUE(check_lmdb_file(temp_.file("journal"))); }

TEST_F(LmdbFileCheckTest, a_journal_that_is_cut_is_refused_by_name_and_left_alone) {
  const std::string whole = bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPage, 2 * kPage, 3 * kPage, whole.size() / 2}) {
    write(whole.substr(0, size));
    const auto store = open();
    ASSERT_FALSE(store) << size;
    EXPECT_EQ(store.error().code, Errc::corrupt) << size;
    EXPECT_NE(store.error().what.find(path_), std::string::npos) << store.error().what;
    EXPECT_NE(store.error().what.find("move the cache directory away"), std::string::npos) << store.error().what;
    EXPECT_EQ(std::filesystem::file_size(path_), size);
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(open().error().code, Errc::corrupt) << "a journal without its file is none that was never made";
}

TEST_F(LmdbFileCheckTest, garbage_in_any_page_is_refused_or_harmless) {
  const test::Seed seed;
  std::mt19937_64 engine(seed.value());
  const std::string whole = bytes();
  int refused = 0;
  for (std::size_t page = 0; page < whole.size() / kPage; ++page) {
    std::string damaged = whole;
    const std::size_t from = engine() % 3 == 0 ? 0 : engine() % 64;
    for (std::size_t i = from; i < kPage; ++i) {
      damaged[page * kPage + i] = static_cast<char>(engine());
    }
    write(damaged);
    const auto store = open();
    if (!store) {
      ++refused;
      EXPECT_EQ(store.error().code, Errc::corrupt) << "page " << page << ": " << describe(store.error());
      EXPECT_EQ(bytes(), damaged);
    } else {
      static_cast<void>(store->journal->load());  // a value may be garbage: then its record is set aside
    }
  }
  EXPECT_GT(refused, 4);
}

TEST_F(LmdbFileCheckTest, a_journal_that_was_not_finished_is_made_anew) {
  const test::TempDir other;
  std::filesystem::create_directory(other.file("journal.new"));
  std::ofstream(other.file("journal.new/data.mdb")) << std::string(100, '\0');
  EXPECT_TRUE(open_meta({.directory = other.str(), .source = "test", .cache_map_bytes = 16 << 20, .journal_map_bytes = 16 << 20}, "boot"));
  EXPECT_FALSE(std::filesystem::exists(other.file("journal.new")));
}

}  // namespace
}  // namespace prefixfs::meta
