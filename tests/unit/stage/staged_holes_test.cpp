// Holes of a staged file, and space that is reserved.

#include <gtest/gtest.h>

#include <string>

#include "prefixfs/stage/staged_file.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

using Ranges = std::vector<ByteRange>;

constexpr std::uint64_t kBlock = 4096;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

class StagedHolesTest : public ::testing::Test {
 protected:
  std::shared_ptr<StagedFile> create(std::uint64_t base_size) { return std::move(*stage_->create(base_size)); }
  static std::string read(const StagedFile& file, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    const auto n = file.read(offset, std::as_writable_bytes(std::span(text)));
    EXPECT_TRUE(n) << (n ? "" : describe(n.error()));
    text.resize(n.value_or(0));
    return text;
  }

  test::TempDir temp_;
  std::unique_ptr<StageDirectory> stage_ = std::move(*StageDirectory::open(temp_.path(), 1 << 20));
};

TEST_F(StagedHolesTest, zeros_are_dirty_and_need_no_fetch) {
  const auto file = create(10 * kBlock);
  ASSERT_TRUE(file->zero({2 * kBlock, 4 * kBlock}));
  EXPECT_TRUE(file->changed());
  EXPECT_EQ(file->dirty_ranges(), (Ranges{{2 * kBlock, 4 * kBlock}}));
  EXPECT_EQ(file->missing({0, 10 * kBlock}), (Ranges{{0, 2 * kBlock}, {4 * kBlock, 10 * kBlock}}));
  EXPECT_EQ(read(*file, 2 * kBlock, 2 * kBlock), std::string(2 * kBlock, '\0'));
  ASSERT_TRUE(file->fill(0, bytes(std::string(10 * kBlock, 'o'))));
  EXPECT_EQ(read(*file, 2 * kBlock - 1, 3), std::string("o\0\0", 3)) << "what arrives later does not undo it";
  EXPECT_EQ(file->take_touched(), (Ranges{{2 * kBlock, 4 * kBlock}}));
}

TEST_F(StagedHolesTest, zeros_end_with_the_file) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("0123456789")));
  ASSERT_TRUE(file->zero({4, 100}));
  EXPECT_EQ(file->size(), 10U);
  EXPECT_EQ(read(*file, 0, 20), std::string("0123\0\0\0\0\0\0", 10));
  const std::uint64_t changes = file->change_count();
  ASSERT_TRUE(file->zero({10, 100}));
  ASSERT_TRUE(file->zero({3, 3}));
  EXPECT_EQ(file->change_count(), changes) << "nothing there to change";
}

TEST_F(StagedHolesTest, zeros_cost_budget_like_other_bytes) {
  const auto file = create(1 << 20);
  ASSERT_TRUE(stage_->budget().take((1 << 20) - kBlock));
  EXPECT_EQ(file->zero({0, 2 * kBlock}).error().code, Errc::no_space);
  EXPECT_FALSE(file->changed());
  ASSERT_TRUE(file->zero({0, kBlock}));
  EXPECT_EQ(file->allocated_bytes(), kBlock);
}

TEST_F(StagedHolesTest, zeros_outlive_a_killed_process) {
  const auto file = create(4 * kBlock);
  file->track("note");
  ASSERT_TRUE(file->zero({kBlock, 2 * kBlock}));
  const auto former = stage_->former();
  ASSERT_TRUE(former);
  ASSERT_EQ(former->size(), 1U);
  EXPECT_EQ(former->front().state.dirty, (Ranges{{kBlock, 2 * kBlock}}));
  EXPECT_EQ(former->front().state.valid, (Ranges{{kBlock, 2 * kBlock}}));
  EXPECT_EQ(former->front().state.size, 4 * kBlock);
}

TEST_F(StagedHolesTest, what_is_reserved_is_zeros_and_costs_budget) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(0, bytes("x")));
  ASSERT_TRUE(file->reserve(8 * kBlock));
  EXPECT_EQ(file->size(), 8 * kBlock);
  EXPECT_EQ(file->allocated_bytes(), 8 * kBlock);
  EXPECT_EQ(read(*file, 0, 3), std::string("x\0\0", 3));
  ASSERT_TRUE(file->reserve(kBlock));
  EXPECT_EQ(file->size(), 8 * kBlock) << "it never shrinks";
  const std::uint64_t changes = file->change_count();
  EXPECT_EQ(file->reserve(2 << 20).error().code, Errc::no_space);
  EXPECT_EQ(file->reserve(~0ULL).error().code, Errc::too_large);
  EXPECT_EQ(file->size(), 8 * kBlock);
  EXPECT_EQ(file->change_count(), changes);
  EXPECT_EQ(file->allocated_bytes(), 8 * kBlock);
}

TEST_F(StagedHolesTest, holes_are_what_was_never_written) {
  const auto file = create(0);
  ASSERT_TRUE(file->write(64 * kBlock, bytes(std::string(kBlock, 'x'))));
  ASSERT_TRUE(file->resize(128 * kBlock));
  EXPECT_EQ(file->next_data(0), 64 * kBlock);
  EXPECT_EQ(file->next_data(64 * kBlock + 7), 64 * kBlock + 7);
  EXPECT_EQ(file->next_data(100 * kBlock), std::nullopt);
  EXPECT_EQ(file->next_data(128 * kBlock), std::nullopt);
  EXPECT_EQ(file->next_hole(0), 0U);
  EXPECT_EQ(file->next_hole(64 * kBlock), 65 * kBlock);
  EXPECT_EQ(file->next_hole(128 * kBlock), std::nullopt);
  ASSERT_TRUE(file->zero({64 * kBlock, 65 * kBlock}));
  EXPECT_EQ(file->next_data(0), std::nullopt);
}

TEST_F(StagedHolesTest, what_is_not_here_is_data) {
  const auto file = create(64 * kBlock);
  EXPECT_EQ(file->next_data(5), 5U);
  EXPECT_EQ(file->next_hole(5), 64 * kBlock) << "only the end";
  ASSERT_TRUE(file->zero({16 * kBlock, 32 * kBlock}));
  EXPECT_EQ(file->next_hole(0), 16 * kBlock);
  EXPECT_EQ(file->next_data(16 * kBlock), 32 * kBlock);
  EXPECT_EQ(file->next_data(20 * kBlock + 1), 32 * kBlock);
  EXPECT_EQ(file->next_hole(32 * kBlock), 64 * kBlock);
  ASSERT_TRUE(file->fill(0, bytes(std::string(64 * kBlock, 'o'))));
  EXPECT_EQ(file->next_hole(0), 16 * kBlock);
}

}  // namespace
}  // namespace prefixfs::stage
