#include "prefixfs/base/random.h"

#include <gtest/gtest.h>

#include <set>

#include "support/seed.h"

namespace prefixfs {
namespace {

TEST(SystemRandomTest, UsesAllBitsAndDoesNotRepeat) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  // That one bit stays the same in 200 numbers happens once in 2^193 runs.
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t value = random.next();
    seen.insert(value);
    ones |= value;
    zeros |= ~value;
  }
  EXPECT_EQ(seen.size(), 200U);
  EXPECT_EQ(ones, ~std::uint64_t{0});
  EXPECT_EQ(zeros, ~std::uint64_t{0});
}

TEST(SeededRandomTest, TheSeedRepeatsTheNumbers) {
  test::SeededRandom one(42);
  test::SeededRandom again(42);
  test::SeededRandom other(43);
  const std::uint64_t first = one.next();
  EXPECT_EQ(first, again.next());
  EXPECT_EQ(one.next(), again.next());
  EXPECT_NE(first, other.next());
}

}  // namespace
}  // namespace prefixfs
