#include "key_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/seed.h"

namespace prefixfs::sync {
namespace {

using Ids = std::vector<meta::IntentId>;

TEST(KeyOrder, one_key_is_one_line) {
  KeyOrder order;
  order.add(1, {"a"}, false, true);
  order.add(2, {"a"}, false, true);
  order.add(3, {"b"}, false, true);
  EXPECT_EQ(order.take(9), Ids{1});
  EXPECT_EQ(order.take(9), Ids{3});
  EXPECT_FALSE(order.has_ready());
  EXPECT_EQ(order.take(9), Ids{});
  order.remove(1);
  EXPECT_EQ(order.take(9), Ids{2});
}

TEST(KeyOrder, an_intent_of_two_keys_waits_for_both) {
  KeyOrder order;
  order.add(1, {"a"}, false, true);
  order.add(2, {"b"}, false, true);
  order.add(3, {"a", "b"}, false, true);
  order.add(4, {"b"}, false, true);
  order.take(1);
  order.take(1);
  order.remove(2);
  EXPECT_FALSE(order.has_ready());
  order.remove(1);
  EXPECT_EQ(order.take(1), Ids{3});
  EXPECT_FALSE(order.has_ready());
  order.remove(3);
  EXPECT_EQ(order.take(1), Ids{4});
}

TEST(KeyOrder, who_waits_for_an_intent_is_known) {
  KeyOrder order;
  order.add(1, {"a", "b"}, false, true);
  order.add(2, {"c"}, false, true);
  EXPECT_FALSE(order.is_followed(Ids{1}));
  order.add(3, {"b"}, false, true);
  EXPECT_TRUE(order.is_followed(Ids{1}));
  EXPECT_FALSE(order.is_followed(Ids{1, 3})) << "nobody else";
  EXPECT_FALSE(order.is_followed(Ids{2, 3, 99}));
  order.add(4, {"b"}, false, false);
  EXPECT_TRUE(order.is_followed(Ids{1, 3}));
  order.remove(3);
  order.remove(4);
  EXPECT_FALSE(order.is_followed(Ids{1}));
}

TEST(KeyOrder, a_key_given_twice_is_one) {
  KeyOrder order;
  order.add(1, {"a", "a"}, false, true);
  order.add(2, {"a", "a"}, false, true);
  EXPECT_EQ(order.take(1), Ids{1});
  order.remove(1);
  EXPECT_EQ(order.take(1), Ids{2});
}

TEST(KeyOrder, an_id_that_is_there_stays_as_it_is) {
  KeyOrder order;
  EXPECT_TRUE(order.add(1, {"a"}, false, true));
  EXPECT_FALSE(order.add(1, {"b"}, false, true));
  EXPECT_EQ(order.take(1), Ids{1});
  EXPECT_FALSE(order.add(1, {"b"}, false, true));
  EXPECT_FALSE(order.has_ready());
}

TEST(KeyOrder, the_earliest_goes_first_also_when_it_comes_back) {
  KeyOrder order;
  order.add(7, {"a"}, false, true);
  order.add(5, {"b"}, true, true);
  order.add(6, {"c"}, false, true);
  EXPECT_EQ(order.take(1), Ids{7});
  order.offer(7);
  EXPECT_EQ(order.take(1), Ids{7}) << "in its old place";
  EXPECT_EQ(order.take(1), Ids{5});
  EXPECT_EQ(order.take(1), Ids{6});
}

TEST(KeyOrder, a_batch_takes_what_may_start_and_is_of_the_kind) {
  KeyOrder order;
  order.add(1, {"a"}, true, true);
  order.add(2, {"b"}, false, true);
  order.add(3, {"c"}, true, true);
  order.add(4, {"a"}, true, true);
  order.add(5, {"d"}, true, true);
  order.add(6, {"e"}, true, true);
  EXPECT_EQ(order.take(3), (Ids{1, 3, 5}));
  EXPECT_EQ(order.take(3), Ids{2});
  order.remove(1);
  EXPECT_EQ(order.take(3), (Ids{4, 6}));
}

TEST(KeyOrder, what_is_not_offered_keeps_its_place) {
  KeyOrder order;
  order.add(1, {"a"}, false, false);
  order.add(2, {"a"}, false, true);
  EXPECT_FALSE(order.has_ready());
  order.offer(1);
  EXPECT_EQ(order.take(1), Ids{1});
  EXPECT_FALSE(order.has_ready());
}

TEST(KeyOrder, one_in_the_middle_can_go) {
  KeyOrder order;
  for (const meta::IntentId id : {1, 2, 3}) {
    order.add(id, {"a"}, false, true);
  }
  order.remove(2);
  order.remove(2);
  order.offer(2);
  EXPECT_EQ(order.take(1), Ids{1});
  order.remove(1);
  EXPECT_EQ(order.take(1), Ids{3});
}

TEST(KeyOrder, one_after_the_other_has_its_turn) {
  KeyOrder order;
  order.add(1, {"a"}, false, true);
  order.add(2, {"b"}, true, true);
  order.add(3, {"c"}, false, true);
  Ids turns;
  for (int i = 0; i < 5; ++i) {
    const Ids taken = order.take_in_turn();
    ASSERT_EQ(taken.size(), 1U);
    turns.push_back(taken[0]);
    order.offer(taken[0]);
  }
  EXPECT_EQ(turns, (Ids{1, 2, 3, 1, 2}));
  EXPECT_EQ(KeyOrder().take_in_turn(), Ids{});
}

/// Against a list that is searched from its beginning each time.
TEST(KeyOrder, agrees_with_a_plain_list) {
  struct Plain {
    meta::IntentId id;
    std::vector<std::string> keys;
    bool offered;
  };
  const test::Seed seed;
  auto engine = seed.engine();
  KeyOrder order;
  std::vector<Plain> list;
  const auto first_ready = [&]() -> Plain* {
    for (auto at = list.begin(); at != list.end(); ++at) {
      const bool behind = std::any_of(list.begin(), at, [&](const Plain& earlier) {
        return std::ranges::find_first_of(earlier.keys, at->keys) != earlier.keys.end();
      });
      if (at->offered && !behind) {
        return &*at;
      }
    }
    return nullptr;
  };
  for (meta::IntentId id = 1; id < 3000; ++id) {
    const auto any_key = [&] { return std::string(1, static_cast<char>('a' + engine() % 8)); };
    Plain added{id, engine() % 3 == 0 ? std::vector{any_key(), any_key()} : std::vector{any_key()}, engine() % 4 != 0};
    order.add(id, added.keys, false, added.offered);
    list.push_back(std::move(added));
    if (engine() % 2 == 0) {
      Plain* const expected = first_ready();
      ASSERT_EQ(order.has_ready(), expected != nullptr);
      ASSERT_EQ(order.take(1), expected == nullptr ? Ids{} : Ids{expected->id});
      if (expected != nullptr) {
        expected->offered = false;
      }
    }
    const auto chosen = list.begin() + static_cast<std::ptrdiff_t>(engine() % list.size());
    if (!chosen->offered) {
      order.offer(chosen->id);
      chosen->offered = true;
    } else if (engine() % 3 != 0) {
      order.remove(chosen->id);
      list.erase(chosen);
    }
  }
}

}  // namespace
}  // namespace prefixfs::sync
