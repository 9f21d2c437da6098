// Writes that must not overwrite what somebody else has written.

#include <atomic>
#include <thread>

#include "object_store_contract.h"

namespace prefixfs::contract {

using s3::WriteCondition;
using test::code_of;
using test::put_text;
using test::why;

TEST_P(ObjectStoreContract, PutIfAbsentNeverOverwrites) {
  const auto first = put_text(store(), key("a"), "first", WriteCondition::if_absent());
  ASSERT_TRUE(first) << why(first);
  const auto second = put_text(store(), key("a"), "second", WriteCondition::if_absent());
  EXPECT_EQ(code_of(second), "conflict") << why(second);
  EXPECT_EQ(must_get("a"), "first");
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->etag, first->etag);
}

TEST_P(ObjectStoreContract, PutIfMatchWantsTheSameVersion) {
  const ETag first = must_put("a", "first");
  const auto second = put_text(store(), key("a"), "second", WriteCondition::if_match(first));
  ASSERT_TRUE(second) << why(second);
  EXPECT_EQ(must_get("a"), "second");
  EXPECT_EQ(code_of(put_text(store(), key("a"), "third", WriteCondition::if_match(first))), "conflict");
  EXPECT_EQ(must_get("a"), "second");
  EXPECT_TRUE(put_text(store(), key("a"), "third", WriteCondition::if_match(second->etag)));
  EXPECT_EQ(must_get("a"), "third");
}

TEST_P(ObjectStoreContract, PutIfMatchOnWhatIsGoneIsAConflict) {
  const ETag etag = must_put("a", "first");
  ASSERT_TRUE(store().remove(key("a"), {}, {}));
  EXPECT_EQ(code_of(put_text(store(), key("a"), "second", WriteCondition::if_match(etag))), "conflict");
  EXPECT_FALSE(exists("a"));
}

TEST_P(ObjectStoreContract, OfManyWhoCreateOnlyOneWins) {
  SKIP_IF_LACKING("conditional_put");
  must_put("warm", "the first conditional write teaches the client what the endpoint honours");
  ASSERT_TRUE(put_text(store(), key("warm2"), "x", WriteCondition::if_absent()));
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  std::atomic<int> winner = -1;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const auto answer = put_text(store(), key("a"), "writer " + std::to_string(i), WriteCondition::if_absent());
        if (answer) {
          ++won;
          winner = i;
        } else if (answer.error().code == Errc::conflict) {
          ++lost;
        }
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(must_get("a"), "writer " + std::to_string(winner));
}

TEST_P(ObjectStoreContract, RemoveIfMatchSparesAnotherVersion) {
  const ETag first = must_put("a", "first");
  const ETag second = must_put("a", "second");
  EXPECT_EQ(code_of(store().remove(key("a"), first, {})), "conflict");
  EXPECT_EQ(must_get("a"), "second");
  const auto removed = store().remove(key("a"), second, {});
  EXPECT_TRUE(removed) << why(removed);
  EXPECT_FALSE(exists("a"));
  const auto again = store().remove(key("a"), second, {});
  EXPECT_TRUE(again) << why(again);
}

TEST_P(ObjectStoreContract, CopyHoldsTheConditionOnItsDestination) {
  must_put("from", "source");
  s3::CopyOptions absent;
  absent.condition = WriteCondition::if_absent();
  const auto first = store().copy({key("from"), {}}, key("to"), absent, {});
  ASSERT_TRUE(first) << why(first);
  EXPECT_EQ(must_get("to"), "source");
  const ETag other = must_put("to", "somebody else's");
  EXPECT_EQ(code_of(store().copy({key("from"), {}}, key("to"), absent, {})), "conflict");
  s3::CopyOptions match;
  match.condition = WriteCondition::if_match(first->etag);
  EXPECT_EQ(code_of(store().copy({key("from"), {}}, key("to"), match, {})), "conflict");
  EXPECT_EQ(must_get("to"), "somebody else's");
  match.condition = WriteCondition::if_match(other);
  const auto over = store().copy({key("from"), {}}, key("to"), match, {});
  EXPECT_TRUE(over) << why(over);
  EXPECT_EQ(must_get("to"), "source");
  ASSERT_TRUE(store().remove(key("to"), {}, {}));
  EXPECT_EQ(code_of(store().copy({key("from"), {}}, key("to"), match, {})), "conflict");
}

}  // namespace prefixfs::contract
