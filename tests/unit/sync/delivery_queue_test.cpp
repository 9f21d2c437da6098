#include "prefixfs/sync/delivery_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "delivery_fixture.h"

namespace prefixfs::sync {
namespace {

using test::code_of;

int delivery_threads() {
  int count = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    count += name == "deliver" ? 1 : 0;
  }
  return count;
}

// ---- order ----

TEST_F(DeliveryQueueTest, what_is_added_is_delivered_and_forgotten) {
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  EXPECT_TRUE(queue().wait_for({}, true, {}));
  EXPECT_EQ(queue().size(), 0U);
  EXPECT_TRUE(queue().states().empty());
  EXPECT_EQ(delivery_.delivered().size(), 2U);
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(DeliveryQueueTest, threads_begin_with_the_work) {
  queue();
  EXPECT_EQ(delivery_threads(), 0);
  queue().add(1, {"a"}, false, true);
  EXPECT_EQ(delivery_threads(), 0) << "a parked one is no work";
  delivery_.hold_all();
  for (meta::IntentId id = 2; id < 12; ++id) {
    queue().add(id, {std::to_string(id)});
  }
  EXPECT_TRUE(eventually([&] { return delivery_.running() == 3; }));
  EXPECT_TRUE(eventually([&] { return delivery_threads() == 3; }));
  delivery_.release_all();
  EXPECT_TRUE(comes_to_rest(1));
  EXPECT_EQ(delivery_.most_running(), 3);
  EXPECT_EQ(delivery_.delivered().size(), 10U);
}

TEST_F(DeliveryQueueTest, intents_of_one_key_follow_each_other) {
  delivery_.hold(1);
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  queue().add(3, {"b"});
  queue().add(4, {"a"});
  EXPECT_TRUE(eventually([&] { return delivery_.delivered() == Ids{3}; }));
  EXPECT_EQ(state_of(2)->phase, DeliveryPhase::waiting);
  EXPECT_EQ(state_of(2)->attempts, 0U);
  EXPECT_EQ(state_of(1)->phase, DeliveryPhase::running);
  EXPECT_EQ(state_of(1)->attempts, 1U);
  delivery_.release(1);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), (Ids{3, 1, 2, 4}));
}

TEST_F(DeliveryQueueTest, a_rename_waits_for_both_names_and_both_for_it) {
  delivery_.hold_all();
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  queue().add(3, {"a", "b"});
  queue().add(4, {"a"});
  queue().add(5, {"b"});
  ASSERT_TRUE(calls_become(2));
  delivery_.hold(1);
  delivery_.hold(3);
  delivery_.release_all();
  EXPECT_TRUE(eventually([&] { return delivery_.delivered() == Ids{2}; }));
  EXPECT_EQ(state_of(3)->phase, DeliveryPhase::waiting);
  delivery_.release(1);
  EXPECT_TRUE(becomes(3, DeliveryPhase::running));
  EXPECT_EQ(state_of(4)->phase, DeliveryPhase::waiting);
  EXPECT_EQ(state_of(5)->phase, DeliveryPhase::waiting);
  delivery_.release(3);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered().size(), 5U);
}

TEST_F(DeliveryQueueTest, the_order_is_that_of_add) {
  options_.threads = 1;
  delivery_.hold(9);
  for (const meta::IntentId id : {9, 8, 3, 7, 1}) {
    queue().add(id, {std::to_string(id)});
  }
  queue().add(8, {"again"});
  delivery_.release(9);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), (Ids{9, 8, 3, 7, 1}));
}

TEST_F(DeliveryQueueTest, removals_go_together) {
  options_.threads = 1;
  delivery_.hold(1);
  queue().add(1, {"first"});
  for (meta::IntentId id = 2; id < 8; ++id) {
    queue().add(id, {std::to_string(id)}, id != 4);
  }
  queue().add(8, {"2"}, true);
  delivery_.fail_with(3, kDenied);
  delivery_.release(1);
  EXPECT_TRUE(comes_to_rest(1));
  EXPECT_EQ(delivery_.calls(), (std::vector<Ids>{{1}, {2, 3, 5, 6}, {4}, {7, 8}}));
  EXPECT_EQ(state_of(3)->phase, DeliveryPhase::parked) << "each has a result of its own";
}

TEST_F(DeliveryQueueTest, a_delivery_may_add_and_withdraw) {
  std::unique_ptr<DeliveryQueue> nested;
  std::atomic<int> calls = 0;
  const auto deliver = [&](std::span<const meta::IntentId> ids, const CallContext&) {
    ++calls;
    if (ids[0] == 1) {
      nested->add(3, {"a"});
      EXPECT_TRUE(nested->withdraw(2));
      EXPECT_FALSE(nested->withdraw(1)) << "it runs";
    }
    return std::vector<Result<void>>(ids.size());
  };
  nested = std::make_unique<DeliveryQueue>(options_, deliver, clock_, random_, log_);
  nested->add(2, {"b"}, false, true);
  nested->add(1, {"a"});
  EXPECT_TRUE(eventually([&] { return nested->size() == 0; }));
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(nested->withdraw(1)) << "it was delivered";
}

// ---- refusals ----

TEST_F(DeliveryQueueTest, a_refused_intent_waits_and_so_do_those_behind_it) {
  delivery_.fail_with(1, kDenied);
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  queue().add(3, {"b"});
  EXPECT_TRUE(becomes(1, DeliveryPhase::parked));
  EXPECT_TRUE(comes_to_rest(2));
  EXPECT_EQ(state_of(1)->last_error->what, "access denied");
  EXPECT_EQ(state_of(2)->phase, DeliveryPhase::waiting);
  EXPECT_FALSE(queue().outage());
  ASSERT_EQ(log_.lines().size(), 1U);
  EXPECT_EQ(log_.lines()[0].first, LogLevel::error);
  EXPECT_EQ(log_.lines()[0].second,
            "change 1 was refused and waits for a retry, as do later ones of the same names: denied: access denied");
  delivery_.heal(1);
  queue().retry(2);
  queue().retry(77);
  EXPECT_EQ(state_of(1)->phase, DeliveryPhase::parked) << "only what is named";
  queue().retry(1);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), (Ids{3, 1, 2}));
}

TEST_F(DeliveryQueueTest, what_comes_behind_goes_on_when_the_refused_one_is_withdrawn) {
  delivery_.fail_with(1, kDenied);
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  EXPECT_TRUE(becomes(1, DeliveryPhase::parked));
  EXPECT_TRUE(queue().withdraw(1));
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), Ids{2});
}

TEST_F(DeliveryQueueTest, what_was_parked_by_a_former_process_is_parked) {
  queue().add(1, {"a"}, false, true);
  queue().add(2, {"a"});
  queue().add(3, {"b"}, false, true);
  queue().add(4, {"c"});
  EXPECT_TRUE(comes_to_rest(3));
  EXPECT_EQ(delivery_.delivered(), Ids{4});
  const auto waited = queue().wait_for(Ids{1}, true, {});
  EXPECT_EQ(code_of(waited), "io");
  queue().retry({});
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(DeliveryQueueTest, a_delivery_that_throws_or_says_too_little_is_a_refusal) {
  const auto deliver = [](std::span<const meta::IntentId> ids, const CallContext&) -> std::vector<Result<void>> {
    if (ids[0] == 1) {
      throw std::runtime_error("broken");
    }
    if (ids[0] == 2) {
      throw 2;
    }
    return {};
  };
  DeliveryQueue broken(options_, deliver, clock_, random_, log_);
  for (meta::IntentId id = 1; id <= 3; ++id) {
    broken.add(id, {"key of " + std::to_string(id)});
  }
  EXPECT_TRUE(eventually([&] { return log_.lines().size() == 3; }));
  const auto states = broken.states();
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].last_error->what, "broken");
  for (const DeliveryState& state : states) {
    EXPECT_EQ(state.phase, DeliveryPhase::parked);
    EXPECT_EQ(state.last_error->code, Errc::internal);
  }
}

TEST_F(DeliveryQueueTest, what_was_cancelled_by_somebody_else_is_tried_again_later) {
  delivery_.fail_with(1, {Errc::cancelled, "interrupted", {}});
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  queue().add(3, {"b"});
  EXPECT_TRUE(pauses());
  EXPECT_TRUE(eventually([&] { return delivery_.delivered() == Ids{3}; })) << "others go on";
  EXPECT_EQ(clock_.naps(), std::vector<std::chrono::nanoseconds>{1s});
  EXPECT_EQ(state_of(1)->phase, DeliveryPhase::waiting);
  EXPECT_FALSE(queue().outage());
  delivery_.heal(1);
  clock_.end_nap();
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), (Ids{3, 1, 2}));
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(DeliveryQueueTest, what_was_cancelled_can_be_withdrawn_and_come_again) {
  delivery_.fail_with(1, {Errc::cancelled, "interrupted", {}});
  queue().add(1, {"a"});
  EXPECT_TRUE(pauses());
  EXPECT_TRUE(queue().withdraw(1));
  delivery_.heal(1);
  delivery_.hold(1);
  queue().add(1, {"a"});
  EXPECT_TRUE(calls_become(2));
  clock_.end_nap();
  EXPECT_TRUE(eventually([&] { return clock_.asleep() == 0; }));
  delivery_.release(1);
  EXPECT_TRUE(comes_to_rest());
  EXPECT_EQ(delivery_.delivered(), Ids{1});
}

// ---- the end ----

TEST_F(DeliveryQueueTest, stop_cancels_what_runs_and_keeps_it) {
  delivery_.hold_all();
  for (meta::IntentId id = 1; id <= 9; ++id) {
    queue().add(id, {std::to_string(id)});
  }
  EXPECT_TRUE(calls_become(3));
  queue().stop();
  queue().stop();
  EXPECT_EQ(delivery_.running(), 0);
  EXPECT_EQ(delivery_.calls().size(), 3U);
  EXPECT_EQ(queue().size(), 9U);
  for (const DeliveryState& state : queue().states()) {
    EXPECT_EQ(state.phase, DeliveryPhase::waiting);
  }
  queue().add(10, {"late"});
  queue().retry({});
  EXPECT_EQ(delivery_.calls().size(), 3U) << "nothing is begun any more";
  EXPECT_TRUE(queue().withdraw(1));
  EXPECT_EQ(code_of(queue().wait_for({}, true, {})), "cancelled");
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(DeliveryQueueTest, stop_ends_a_pause) {
  delivery_.fail_all(kNoAnswer);
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  EXPECT_TRUE(pauses());
  queue().stop();
  EXPECT_EQ(queue().size(), 2U);
  EXPECT_TRUE(queue().outage());
}

TEST_F(DeliveryQueueTest, stop_ends_the_rest_of_a_cancelled_one) {
  delivery_.fail_with(1, {Errc::cancelled, "interrupted", {}});
  queue().add(1, {"a"});
  EXPECT_TRUE(pauses());
  queue().stop();
  EXPECT_EQ(queue().size(), 1U);
}

TEST_F(DeliveryQueueTest, it_goes_with_what_waits) {
  delivery_.hold_all();
  for (meta::IntentId id = 1; id <= 9; ++id) {
    queue().add(id, {std::to_string(id % 2)});
  }
  EXPECT_TRUE(calls_become(2));
  queue_.reset();
  EXPECT_EQ(delivery_.delivered(), Ids{});
}

TEST_F(DeliveryQueueTest, one_that_never_began_goes_too) {
  queue();
  queue_.reset();
  queue().stop();
}

}  // namespace
}  // namespace prefixfs::sync
