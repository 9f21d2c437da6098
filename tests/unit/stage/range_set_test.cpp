#include "prefixfs/stage/range_set.h"

#include <gtest/gtest.h>

#include <bitset>

#include "support/seed.h"

namespace prefixfs::stage {
namespace {

using Ranges = std::vector<ByteRange>;

RangeSet of(const Ranges& ranges) {
  RangeSet set;
  for (const ByteRange& range : ranges) {
    set.add(range);
  }
  return set;
}

TEST(RangeSet, adjacent_and_overlapping_ranges_become_one) {
  EXPECT_EQ(of({{0, 10}, {10, 20}}).all(), (Ranges{{0, 20}}));
  EXPECT_EQ(of({{10, 20}, {0, 10}}).all(), (Ranges{{0, 20}}));
  EXPECT_EQ(of({{0, 10}, {20, 30}, {5, 25}}).all(), (Ranges{{0, 30}}));
  EXPECT_EQ(of({{0, 10}, {11, 20}}).all(), (Ranges{{0, 10}, {11, 20}}));
  EXPECT_EQ(of({{5, 5}, {9, 3}}).all(), Ranges{});
}

TEST(RangeSet, remove_cuts_a_range_in_two) {
  RangeSet set = of({{0, 30}});
  set.remove({10, 20});
  EXPECT_EQ(set.all(), (Ranges{{0, 10}, {20, 30}}));
  set.remove({5, 25});
  EXPECT_EQ(set.all(), (Ranges{{0, 5}, {25, 30}}));
  set.remove({7, 7});
  set.remove({0, 100});
  EXPECT_TRUE(set.empty());
}

TEST(RangeSet, answers_at_the_edges) {
  const RangeSet set = of({{10, 20}, {30, 40}});
  EXPECT_TRUE(set.contains({10, 20}));
  EXPECT_TRUE(set.contains({15, 15}));
  EXPECT_FALSE(set.contains({10, 21}));
  EXPECT_FALSE(set.contains({15, 35}));
  EXPECT_FALSE(set.intersects({0, 10}));
  EXPECT_FALSE(set.intersects({20, 30}));
  EXPECT_TRUE(set.intersects({19, 20}));
  EXPECT_TRUE(set.intersects({0, 100}));
  EXPECT_EQ(set.gaps({0, 50}), (Ranges{{0, 10}, {20, 30}, {40, 50}}));
  EXPECT_EQ(set.gaps({15, 35}), (Ranges{{20, 30}}));
  EXPECT_EQ(set.parts({15, 35}), (Ranges{{15, 20}, {30, 35}}));
  EXPECT_EQ(set.touching({20, 25}), (Ranges{{10, 20}}));
  EXPECT_EQ(set.touching({20, 30}), (Ranges{{10, 20}, {30, 40}}));
  EXPECT_EQ(set.touching({21, 29}), Ranges{});
  EXPECT_EQ(set.bytes(), 20U);
}

TEST(RangeSet, agrees_with_a_set_of_bits) {
  const test::Seed seed;
  auto random = seed.engine();
  RangeSet set;
  std::bitset<64> bits;
  for (int step = 0; step < 5000; ++step) {
    const std::uint64_t a = random() % 65;
    const std::uint64_t b = random() % 65;
    const ByteRange range{std::min(a, b), std::max(a, b)};
    const bool add = random() % 2 == 0;
    add ? set.add(range) : set.remove(range);
    for (std::uint64_t i = range.begin; i < range.end; ++i) {
      bits[i] = add;
    }
    ASSERT_EQ(set.bytes(), bits.count());
    for (std::uint64_t i = 0; i < 64; ++i) {
      ASSERT_EQ(set.contains({i, i + 1}), bits[i]) << "at " << i;
      ASSERT_EQ(set.intersects({i, i + 1}), bits[i]) << "at " << i;
    }
    const Ranges all = set.all();
    for (std::size_t i = 1; i < all.size(); ++i) {
      ASSERT_LT(all[i - 1].end, all[i].begin) << "ranges that touch were not joined";
    }
    std::uint64_t counted = 0;
    for (const ByteRange& gap : set.gaps(range)) {
      counted += gap.length();
    }
    for (const ByteRange& part : set.parts(range)) {
      counted += part.length();
    }
    ASSERT_EQ(counted, range.length());
  }
}

}  // namespace
}  // namespace prefixfs::stage
