#include "prefixfs/sync/upload_plan.h"

#include <gtest/gtest.h>

#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/range_set.h"
#include "streamed_parts.h"
#include "support/seed.h"

namespace prefixfs::sync {

void PrintTo(const PlannedPart& part, std::ostream* out) {
  *out << (part.from == PlannedPart::From::staged ? "staged " : "stored ") << part.range.begin << "-" << part.range.end;
}

namespace {

constexpr std::uint64_t kKiB = 1ULL << 10;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kTiB = 1ULL << 40;

using Ranges = std::vector<ByteRange>;
using Parts = std::vector<PlannedPart>;

PlannedPart staged(std::uint64_t begin, std::uint64_t end) { return {PlannedPart::From::staged, {begin, end}}; }
PlannedPart stored(std::uint64_t begin, std::uint64_t end) { return {PlannedPart::From::stored, {begin, end}}; }

UploadPlan plan(std::uint64_t size, std::uint64_t base_size, const Ranges& dirty, const PlanLimits& limits = {}) {
  auto planned = plan_upload(size, base_size, dirty, limits);
  EXPECT_TRUE(planned) << describe(planned.error());
  return *planned;
}

void expect_valid(const UploadPlan& plan, std::uint64_t size, std::uint64_t base_size, const Ranges& dirty, const PlanLimits& limits) {
  if (plan.single_put) {
    EXPECT_LE(size, limits.part_bytes);
    EXPECT_TRUE(plan.parts.empty());
    return;
  }
  ASSERT_FALSE(plan.parts.empty());
  EXPECT_LE(plan.parts.size(), static_cast<std::size_t>(limits.parts_max));
  stage::RangeSet dirty_set;
  for (const ByteRange& range : dirty) {
    dirty_set.add(range);
  }
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const PlannedPart& part = plan.parts[i];
    ASSERT_EQ(part.range.begin, at);
    ASSERT_FALSE(part.range.empty());
    if (i + 1 < plan.parts.size()) {
      ASSERT_GE(part.range.length(), limits.part_bytes_min) << ::testing::PrintToString(plan.parts);
    }
    if (part.from == PlannedPart::From::stored) {
      ASSERT_TRUE(limits.can_copy_parts);
      ASSERT_LE(part.range.length(), limits.copy_bytes_max);
      ASSERT_LE(part.range.end, base_size);
      ASSERT_FALSE(dirty_set.intersects(part.range));
    } else {
      ASSERT_LE(part.range.length(), s3::kPartBytesMax);
    }
    at = part.range.end;
  }
  EXPECT_EQ(at, size);
}

TEST(UploadPlan, a_small_file_is_one_put) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, 8 * kMiB}) {
    const UploadPlan small = plan(size, 0, {{0, size}});
    EXPECT_TRUE(small.single_put);
    EXPECT_TRUE(small.parts.empty());
    EXPECT_EQ(small.staged_ranges(size), size == 0 ? Ranges{} : (Ranges{{0, size}}));
  }
  EXPECT_TRUE(plan(8 * kMiB, 8 * kMiB, {{5, 6}}).single_put) << "copying would cost more requests than it saves bytes";
}

TEST(UploadPlan, a_new_file_is_cut_in_parts_and_the_last_may_be_small) {
  EXPECT_EQ(plan(8 * kMiB + 1, 0, {{0, 8 * kMiB + 1}}).parts, (Parts{staged(0, 8 * kMiB), staged(8 * kMiB, 8 * kMiB + 1)}));
  EXPECT_EQ(plan(24 * kMiB, 0, {{0, 24 * kMiB}}).parts.size(), 3U);
}

TEST(UploadPlan, an_append_sends_the_end_only) {
  const UploadPlan append = plan(100 * kMiB + kKiB, 100 * kMiB, {{100 * kMiB, 100 * kMiB + kKiB}});
  EXPECT_EQ(append.parts, (Parts{stored(0, 100 * kMiB), staged(100 * kMiB, 100 * kMiB + kKiB)}));
  EXPECT_EQ(append.staged_ranges(100 * kMiB + kKiB), (Ranges{{100 * kMiB, 100 * kMiB + kKiB}}));
}

TEST(UploadPlan, an_overwrite_at_the_start_takes_in_what_follows) {
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{0, 4 * kKiB}}).parts, (Parts{staged(0, 5 * kMiB), stored(5 * kMiB, 100 * kMiB)}));
}

TEST(UploadPlan, an_overwrite_in_the_middle_is_three_parts) {
  const std::uint64_t at = 50 * kMiB;
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{at, at + 4 * kKiB}}).parts,
            (Parts{stored(0, at), staged(at, at + 5 * kMiB), stored(at + 5 * kMiB, 100 * kMiB)}));
}

TEST(UploadPlan, an_overwrite_at_the_end_is_a_small_last_part) {
  const std::uint64_t at = 100 * kMiB - 4 * kKiB;
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{at, 100 * kMiB}}).parts, (Parts{stored(0, at), staged(at, 100 * kMiB)}));
}

TEST(UploadPlan, an_overwrite_near_the_start_sends_what_is_before_it) {
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{kMiB, 2 * kMiB}}).parts, (Parts{staged(0, 5 * kMiB), stored(5 * kMiB, 100 * kMiB)}));
}

TEST(UploadPlan, a_small_unchanged_end_is_copied_as_the_last_part) {
  const std::uint64_t at = 90 * kMiB;
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{at, 99 * kMiB}}).parts,
            (Parts{stored(0, at), staged(at, 99 * kMiB), stored(99 * kMiB, 100 * kMiB)}))
      << "a remainder below the smallest part joins the part before";
}

TEST(UploadPlan, a_ten_gigabyte_object_with_a_small_change_is_copied_in_large_pieces) {
  const std::uint64_t at = 6 * kGiB;
  const UploadPlan big = plan(10 * kGiB, 10 * kGiB, {{at, at + 4 * kKiB}});
  EXPECT_EQ(big.parts,
            (Parts{stored(0, 3 * kGiB), stored(3 * kGiB, at), staged(at, at + 5 * kMiB), stored(at + 5 * kMiB, 10 * kGiB)}));
}

TEST(UploadPlan, close_changes_share_a_part) {
  const std::uint64_t at = 20 * kMiB;
  EXPECT_EQ(plan(100 * kMiB, 100 * kMiB, {{at, at + 1}, {at + 2 * kMiB, at + 2 * kMiB + 1}, {at + 4 * kMiB, at + 4 * kMiB + 1}}).parts,
            (Parts{stored(0, at), staged(at, at + 5 * kMiB), stored(at + 5 * kMiB, 100 * kMiB)}));
}

TEST(UploadPlan, a_change_between_short_unchanged_ranges_takes_the_shorter_one) {
  const PlanLimits limits{.part_bytes = 10, .part_bytes_min = 5, .copy_bytes_max = 100, .parts_max = 100};
  // 0-6 unchanged, 6-7 changed, 7-14 unchanged, 14-60 changed: neither side can give 4 bytes and stay a part.
  EXPECT_EQ(plan(60, 14, {{6, 7}, {14, 60}}, limits).parts.front(), staged(0, 7));
}

TEST(UploadPlan, shrinking_copies_the_beginning) {
  EXPECT_EQ(plan(50 * kMiB, 50 * kMiB, {}).parts, (Parts{stored(0, 50 * kMiB)}));
  EXPECT_TRUE(plan(kMiB, kMiB, {}).single_put);
}

TEST(UploadPlan, growing_with_zeros_sends_the_zeros) {
  EXPECT_EQ(plan(110 * kMiB, 100 * kMiB, {{100 * kMiB, 110 * kMiB}}).parts,
            (Parts{stored(0, 100 * kMiB), staged(100 * kMiB, 108 * kMiB), staged(108 * kMiB, 110 * kMiB)}));
}

TEST(UploadPlan, a_base_below_the_smallest_part_is_sent) {
  EXPECT_EQ(plan(20 * kMiB, kMiB, {{kMiB, 20 * kMiB}}).parts.front(), staged(0, 8 * kMiB));
}

TEST(UploadPlan, without_copies_everything_is_sent) {
  PlanLimits limits;
  limits.can_copy_parts = false;
  const UploadPlan all = plan(20 * kMiB, 20 * kMiB, {{0, 1}}, limits);
  EXPECT_EQ(all.parts, (Parts{staged(0, 8 * kMiB), staged(8 * kMiB, 16 * kMiB), staged(16 * kMiB, 20 * kMiB)}));
  EXPECT_EQ(all.staged_ranges(20 * kMiB), (Ranges{{0, 20 * kMiB}}));
}

TEST(UploadPlan, five_terabytes_fit_and_one_byte_more_does_not) {
  const UploadPlan largest = plan(5 * kTiB, 0, {{0, 5 * kTiB}});
  expect_valid(largest, 5 * kTiB, 0, {{0, 5 * kTiB}}, {});
  EXPECT_GT(largest.parts.size(), 1000U) << "parts grow no more than they must";
  EXPECT_EQ(plan_upload(5 * kTiB + 1, 0, {}, {}).error().code, Errc::too_large);
  const PlanLimits none{.part_bytes = 10, .part_bytes_min = 5, .parts_max = 0};
  EXPECT_EQ(plan_upload(100, 0, {}, none).error().code, Errc::too_large);
}

TEST(UploadPlan, many_small_changes_do_not_exceed_the_number_of_parts) {
  Ranges dirty;
  const std::uint64_t size = 400 * kGiB;
  for (std::uint64_t at = 0; at < size; at += 16 * kMiB) {
    dirty.push_back({at, at + 1});
  }
  expect_valid(plan(size, size, dirty), size, size, dirty, {});
}

TEST(UploadPlan, every_plan_holds_its_promises) {
  const test::Seed seed;
  auto random = seed.engine();
  for (int round = 0; round < 20000; ++round) {
    PlanLimits limits;
    limits.part_bytes_min = 5 + random() % 10;
    limits.part_bytes = limits.part_bytes_min + random() % 20;
    limits.copy_bytes_max = 2 * limits.part_bytes_min + random() % 100;
    limits.parts_max = 20 + static_cast<int>(random() % 100);
    limits.can_copy_parts = random() % 8 != 0;
    const std::uint64_t size = random() % 1500;
    const std::uint64_t base_size = random() % 3 == 0 ? size : random() % (size + 1);
    stage::RangeSet dirty;
    dirty.add({base_size, size});
    for (std::uint64_t n = random() % 8; n > 0 && size > 0; --n) {
      const std::uint64_t at = random() % size;
      dirty.add({at, std::min(size, at + 1 + random() % 30)});
    }
    const auto planned = plan_upload(size, base_size, dirty.all(), limits);
    ASSERT_TRUE(planned);
    expect_valid(*planned, size, base_size, dirty.all(), limits);
    const auto ranges = planned->staged_ranges(size);
    for (const ByteRange& range : dirty.all()) {
      ASSERT_TRUE(std::any_of(ranges.begin(), ranges.end(), [&](const ByteRange& sent) { return sent.contains(range); }));
    }
    if (HasFatalFailure()) {
      FAIL() << "size " << size << " base " << base_size << " round " << round;
    }
  }
}

TEST(StreamedParts, begin_small_and_hold_the_largest_object) {
  const PlanLimits limits;
  EXPECT_EQ(streamed_part_bytes(0, limits), 8 * kMiB);
  EXPECT_EQ(streamed_part_bytes(832, limits), 8 * kMiB);
  EXPECT_EQ(streamed_part_bytes(833, limits), 16 * kMiB);
  for (const std::uint64_t first : {5 * kMiB, 8 * kMiB, 64 * kMiB, kGiB}) {
    PlanLimits other;
    other.part_bytes = first;
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < 9999; ++index) {
      ASSERT_LE(streamed_part_bytes(index, other), s3::kPartBytesMax);
      ASSERT_GE(streamed_part_bytes(index, other), first);
      sum += streamed_part_bytes(index, other);
    }
    EXPECT_GE(sum, 5 * kTiB) << first;
  }
}

}  // namespace
}  // namespace prefixfs::sync
