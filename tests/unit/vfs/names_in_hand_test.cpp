#include "names_in_hand.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace prefixfs::vfs {
namespace {

using namespace std::chrono_literals;

class NamesInHandTest : public ::testing::Test {
 protected:
  bool is_free(const std::string& name) { return table_.try_take({name}, {}).has_value(); }
  std::future<void> take_beside(const std::vector<std::string>& names) {
    return std::async(std::launch::async, [this, names] { static_cast<void>(table_.take(names)); });
  }

  NamesInHand table_;
};

TEST_F(NamesInHandTest, ANameIsInOneHandUntilItIsLetGo) {
  std::optional<NamesInHand::Names> names = table_.take({"a", "b"});
  EXPECT_FALSE(is_free("a"));
  EXPECT_FALSE(is_free("b"));
  EXPECT_TRUE(is_free("c"));
  names.reset();
  EXPECT_TRUE(is_free("a"));
  EXPECT_TRUE(is_free("b"));
}

TEST_F(NamesInHandTest, WhoTakesANameWaitsForIt) {
  std::optional<NamesInHand::Names> names = table_.take({"b"});
  const auto both = take_beside({"a", "b"});
  EXPECT_EQ(both.wait_for(10ms), std::future_status::timeout);
  EXPECT_TRUE(is_free("a"));  // who waits has none
  names.reset();
  both.wait();
  EXPECT_TRUE(is_free("b"));
}

TEST_F(NamesInHandTest, WhatOneHasAlreadyIsNotInTheWay) {
  const NamesInHand::Names own = table_.take({"a"});
  {
    const auto more = table_.try_take({"a", "b"}, own);
    ASSERT_TRUE(more);
    EXPECT_FALSE(is_free("b"));
  }
  EXPECT_TRUE(is_free("b"));
  EXPECT_FALSE(is_free("a"));
}

TEST_F(NamesInHandTest, OfSeveralNamesOneGetsAllOrNone) {
  const NamesInHand::Names own = table_.take({"a"});
  EXPECT_FALSE(table_.try_take({"a", "b"}, {}));
  EXPECT_TRUE(is_free("b"));
}

TEST_F(NamesInHandTest, TheMarkerOfADirectoryHasTheNameOfAFile) {
  const NamesInHand::Names own = table_.take({"a/"});
  EXPECT_FALSE(is_free("a"));
  EXPECT_TRUE(table_.try_take({"a"}, own));
}

TEST_F(NamesInHandTest, MovedNamesAreLetGoOnce) {
  NamesInHand::Names one = table_.take({"a"});
  {
    NamesInHand::Names other = std::move(one);
    EXPECT_FALSE(is_free("a"));
    one = std::move(other);
  }
  EXPECT_FALSE(is_free("a"));
}

}  // namespace
}  // namespace prefixfs::vfs
