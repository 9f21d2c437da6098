#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "prefixfs/stage/staged_file.h"
#include "support/seed.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

using Ranges = std::vector<ByteRange>;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string read(const StagedFile& file, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  const auto n = file.read(offset, std::as_writable_bytes(std::span(text)));
  return n ? text.substr(0, *n) : describe(n.error());
}

std::size_t files_in(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

class CloneTest : public ::testing::Test {
 protected:
  test::TempDir temp_;
  std::unique_ptr<StageDirectory> stage_ = std::move(*StageDirectory::open(temp_.path(), 1 << 20));
};

TEST_F(CloneTest, has_the_same_bytes_ranges_and_sizes_under_another_name) {
  const auto file = std::move(*stage_->create(20000));
  ASSERT_TRUE(file->fill(0, bytes(std::string(5000, 'o'))));
  ASSERT_TRUE(file->write(9000, bytes("mine")));
  ASSERT_TRUE(file->resize(15000));
  ASSERT_TRUE(file->resize(16000));
  const auto cloned = stage_->clone(*file);
  ASSERT_TRUE(cloned) << describe(cloned.error());
  const FileState from = file->state();
  const FileState to = (*cloned)->state();
  EXPECT_NE(to.name, from.name);
  EXPECT_EQ(to.size, from.size);
  EXPECT_EQ(to.base_size, 15000U);
  EXPECT_EQ(to.valid, from.valid);
  EXPECT_EQ(to.dirty, (Ranges{{9000, 9004}, {15000, 16000}}));
  EXPECT_EQ(read(**cloned, 0, 5000), std::string(5000, 'o'));
  EXPECT_EQ(read(**cloned, 9000, 4), "mine");
  EXPECT_EQ(read(**cloned, 15000, 5000), std::string(1000, '\0'));
  EXPECT_EQ(std::filesystem::file_size((*cloned)->path()), 16000U);
  EXPECT_EQ((*cloned)->allocated_bytes(), file->allocated_bytes());
  EXPECT_EQ(stage_->budget().used(), 2 * file->allocated_bytes());
}

TEST_F(CloneTest, counts_as_changed_also_where_its_source_is_clean) {
  const auto file = std::move(*stage_->create(0));
  ASSERT_TRUE(file->write(0, bytes("stored")));
  ASSERT_TRUE(file->mark_clean(file->change_count()));
  const auto cloned = std::move(*stage_->clone(*file));
  EXPECT_TRUE(cloned->changed());
  EXPECT_EQ(cloned->evict().error().code, Errc::busy);
  EXPECT_FALSE(file->changed());
  EXPECT_TRUE(cloned->dirty_ranges().empty());
}

TEST_F(CloneTest, lives_apart_from_its_source) {
  auto file = std::move(*stage_->create(0));
  ASSERT_TRUE(file->write(0, bytes("0123456789")));
  const auto cloned = std::move(*stage_->clone(*file));
  ASSERT_TRUE(file->write(0, bytes("XX")));
  ASSERT_TRUE(cloned->write(8, bytes("YY")));
  EXPECT_EQ(read(*file, 0, 10), "XX23456789");
  EXPECT_EQ(read(*cloned, 0, 10), "01234567YY");
  file.reset();
  EXPECT_EQ(read(*cloned, 0, 10), "01234567YY");
}

TEST_F(CloneTest, without_budget_nothing_is_written_and_nothing_stays) {
  const auto file = std::move(*stage_->create(0));
  ASSERT_TRUE(file->write(0, bytes(std::string(600 << 10, 'x'))));
  EXPECT_EQ(stage_->clone(*file).error().code, Errc::no_space);
  EXPECT_EQ(stage_->budget().used(), 600U << 10);
  EXPECT_EQ(files_in(temp_.path() / "stage"), 1U);
}

TEST_F(CloneTest, a_file_without_bytes_can_be_cloned) {
  const auto file = std::move(*stage_->create(1ULL << 40));
  const auto cloned = stage_->clone(*file);
  ASSERT_TRUE(cloned);
  EXPECT_EQ((*cloned)->missing({0, 1ULL << 50}), (Ranges{{0, 1ULL << 40}}));
  EXPECT_EQ(stage_->budget().used(), 0U);
}

TEST_F(CloneTest, goes_like_its_source_when_nobody_retains_it) {
  const auto file = std::move(*stage_->create(0));
  file->retain(true);
  const std::filesystem::path path = (*stage_->clone(*file))->path();
  EXPECT_FALSE(std::filesystem::exists(path)) << "the record names the source";
  file->retain(false);
}

TEST_F(CloneTest, is_of_one_moment_beside_a_writer) {
  // Each write makes the whole file one letter, so a clone with two letters would be of two moments.
  constexpr std::size_t kBytes = 64 << 10;
  const auto file = std::move(*stage_->create(0));
  ASSERT_TRUE(file->write(0, bytes(std::string(kBytes, 'a'))));
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    for (int round = 1; !done; ++round) {
      EXPECT_TRUE(file->write(0, bytes(std::string(kBytes + static_cast<std::size_t>(round % 50), static_cast<char>('a' + round % 26)))));
      EXPECT_TRUE(file->resize(kBytes));
    }
  });
  for (int i = 0; i < 100; ++i) {
    const auto cloned = stage_->clone(*file);
    ASSERT_TRUE(cloned) << describe(cloned.error());
    const std::string text = read(**cloned, 0, 2 * kBytes);
    ASSERT_EQ(text.size(), (*cloned)->size());
    ASSERT_EQ(text, std::string(text.size(), text[0])) << "clone " << i;
    ASSERT_EQ(std::filesystem::file_size((*cloned)->path()), text.size());
  }
  done = true;
}

TEST_F(CloneTest, agrees_with_its_source_after_random_changes) {
  const test::Seed seed;
  auto random = seed.engine();
  for (int round = 0; round < 200; ++round) {
    const auto file = std::move(*stage_->create(random() % 30000));
    for (int step = 0; step < 10; ++step) {
      const std::string text(1 + random() % 3000, static_cast<char>('a' + random() % 26));
      const std::uint64_t at = random() % 30000;
      ASSERT_TRUE(random() % 3 == 0 ? file->resize(at) : random() % 2 == 0 ? file->fill(at, bytes(text)) : file->write(at, bytes(text)));
    }
    const auto cloned = std::move(*stage_->clone(*file));
    ASSERT_EQ(cloned->state().valid, file->state().valid);
    ASSERT_EQ(cloned->state().dirty, file->state().dirty);
    ASSERT_EQ(cloned->size(), file->size());
    ASSERT_EQ(cloned->base_size(), file->base_size());
    for (const ByteRange& range : file->state().valid) {
      ASSERT_EQ(read(*cloned, range.begin, range.length()), read(*file, range.begin, range.length()));
    }
    ASSERT_EQ(stage_->budget().used(), file->allocated_bytes() + cloned->allocated_bytes());
  }
}

}  // namespace
}  // namespace prefixfs::stage
