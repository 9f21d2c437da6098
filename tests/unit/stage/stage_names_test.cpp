// Names are given once, and made ahead where they are synced.

#include "stage_names.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

namespace fs = std::filesystem;

class StageNamesTest : public testing::Test {
 protected:
  StageNamesTest() {
    fs::create_directory(directory_.path() / "open");
    fs::create_directory(directory_.path() / "stage");
  }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_.path() / "stage"), fs::directory_iterator())); }

  test::TempDir directory_;
  SpareFiles spares_{directory_.path() / "open"};
  std::optional<StageNames> names_{std::in_place, directory_.path() / "stage", spares_, 7};
};

TEST_F(StageNamesTest, one_after_another) {
  EXPECT_EQ(names_->make()->path.filename(), "0000000000000007");
  EXPECT_EQ(names_->take_number(), 8U);
  names_->skip(0x20);
  names_->skip(3);
  EXPECT_EQ(names_->make()->path.filename(), "0000000000000021");
  EXPECT_EQ(files(), 2U) << "nothing is made ahead where nothing is synced";
}

TEST_F(StageNamesTest, one_sync_is_for_all_that_were_made_before) {
  const auto first = names_->make();
  ASSERT_TRUE(names_->sync(first->path));
  const auto second = names_->make();  // and others ahead
  EXPECT_GT(files(), 2U);
  ASSERT_TRUE(names_->sync(second->path));
  const auto third = names_->make();
  // A directory that is not there cannot be synced: so nothing was.
  fs::rename(directory_.path() / "stage", directory_.path() / "elsewhere");
  EXPECT_TRUE(names_->sync(third->path));
  EXPECT_TRUE(names_->sync(first->path));
  EXPECT_FALSE(names_->sync(directory_.path() / "stage" / "00000000000000ff")) << "made by nobody yet";
  EXPECT_FALSE(names_->sync(directory_.path() / "stage" / "kept-under-this-name"));
  fs::rename(directory_.path() / "elsewhere", directory_.path() / "stage");
}

TEST_F(StageNamesTest, what_was_made_ahead_goes_in_the_end) {
  const auto first = names_->make();
  ASSERT_TRUE(names_->sync(first->path));
  const auto second = names_->make();
  names_.reset();
  EXPECT_TRUE(fs::exists(first->path));
  EXPECT_TRUE(fs::exists(second->path));
  EXPECT_EQ(files(), 2U);
}

TEST_F(StageNamesTest, many_threads_get_names_of_their_own) {
  std::mutex mutex;
  std::set<fs::path> given;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int number = 0; number < 50; ++number) {
        const auto file = names_->make();
        ASSERT_TRUE(file);
        ASSERT_TRUE(names_->sync(file->path));
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(given.insert(file->path).second);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(given.size(), 200U);
}

}  // namespace
}  // namespace prefixfs::stage
