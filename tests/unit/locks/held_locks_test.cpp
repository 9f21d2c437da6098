#include "held_locks.h"

#include <gtest/gtest.h>

namespace prefixfs::locks {
namespace {

constexpr Owner kFirst{.kind = Kind::posix, .number = 1};
constexpr Owner kSecond{.kind = Kind::posix, .number = 2};

Lock shared(Owner owner, ByteRange range = kEverything) { return {.owner = owner, .mode = Mode::shared, .range = range}; }
Lock exclusive(Owner owner, ByteRange range = kEverything) { return {.owner = owner, .mode = Mode::exclusive, .range = range}; }

TEST(HeldLocksTest, ExclusiveForbidsAllOthersAndSharedForbidsExclusive) {
  HeldLocks held;
  held.set(shared(kFirst, {0, 10}));
  EXPECT_FALSE(held.in_the_way_of(shared(kSecond)));
  EXPECT_TRUE(held.in_the_way_of(exclusive(kSecond)));
  EXPECT_FALSE(held.in_the_way_of(exclusive(kFirst))) << "nobody is in one's own way";
  EXPECT_FALSE(held.in_the_way_of(exclusive(kSecond, {10, 20}))) << "the end is not part of the range";
  held.set(exclusive(kFirst, {0, 10}));
  EXPECT_TRUE(held.in_the_way_of(shared(kSecond, {9, 10})));
  EXPECT_TRUE(held.of_others_in_the_way_of(shared(kFirst, {9, 10}))) << "the numbers of another host mean nothing";
}

TEST(HeldLocksTest, TheTwoKindsNeverMeet) {
  HeldLocks held;
  held.set(exclusive({.kind = Kind::flock, .number = 7}));
  EXPECT_FALSE(held.in_the_way_of(exclusive(kFirst)));
  EXPECT_TRUE(held.in_the_way_of(shared({.kind = Kind::flock, .number = 8})));
}

TEST(HeldLocksTest, APartThatIsUnlockedLeavesTwo) {
  HeldLocks held;
  held.set(exclusive(kFirst, {0, 100}));
  held.clear(kFirst, {40, 60});
  EXPECT_EQ(held.all(), (std::vector{exclusive(kFirst, {0, 40}), exclusive(kFirst, {60, 100})}));
  EXPECT_FALSE(held.holds(kFirst, {40, 60}));
  EXPECT_TRUE(held.holds(kFirst, {39, 41}));
  held.clear(kSecond, kEverything);
  EXPECT_EQ(held.all().size(), 2U);
  held.clear(kFirst, kEverything);
  EXPECT_TRUE(held.empty());
}

TEST(HeldLocksTest, AnotherModeReplacesThePartThatItCovers) {
  HeldLocks held;
  held.set(shared(kFirst, {0, 100}));
  held.set(exclusive(kFirst, {50, 60}));
  EXPECT_TRUE(held.in_the_way_of(shared(kSecond, {55, 56})));
  EXPECT_FALSE(held.in_the_way_of(shared(kSecond, {60, 100})));
  EXPECT_FALSE(held.covers(shared(kFirst, {0, 100})));
  held.set(shared(kFirst, {50, 60}));
  EXPECT_EQ(held.all(), (std::vector{shared(kFirst, {0, 100})})) << "what touches is put together";
  EXPECT_TRUE(held.covers(shared(kFirst, {10, 90})));
  EXPECT_FALSE(held.covers(exclusive(kFirst, {10, 90})));
}

}  // namespace
}  // namespace prefixfs::locks
