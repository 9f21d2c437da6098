// What lingers before it starts, and what is taken back while it runs.

#include "delivery_fixture.h"

namespace prefixfs::sync {
namespace {

TEST_F(DeliveryQueueTest, what_lingers_starts_when_its_time_has_come) {
  queue().add(1, {"a"}, true, false, 100ms);
  queue().add(2, {"b"}, true, false, 100ms);
  queue().add(3, {"c"});
  EXPECT_TRUE(eventually([&] { return delivery_.delivered() == Ids{3}; }));
  clock_.advance(100ms);
  clock_.end_all_naps();
  EXPECT_TRUE(eventually([&] { return queue().size() == 0; }));
  EXPECT_EQ(delivery_.calls().size(), 2U) << "one alone, and two that lingered together";
}

TEST_F(DeliveryQueueTest, what_goes_together_lingers_while_more_comes) {
  options_.batch_max = 100;
  for (meta::IntentId id = 1; id <= 10; ++id) {
    queue().add(id, {std::to_string(id)}, true, false, 100ms);
    clock_.advance(90ms);
    clock_.end_all_naps();
  }
  EXPECT_EQ(delivery_.calls().size(), 0U);
  clock_.advance(10ms);
  clock_.end_all_naps();
  EXPECT_TRUE(eventually([&] { return queue().size() == 0; }));
  EXPECT_EQ(delivery_.calls().size(), 1U);
}

TEST_F(DeliveryQueueTest, what_goes_together_does_not_linger_for_ever) {
  options_.batch_max = 100;
  for (meta::IntentId id = 1; id <= 40; ++id) {  // 3.6 s
    queue().add(id, {std::to_string(id)}, true, false, 100ms);
    clock_.advance(90ms);
  }
  clock_.end_all_naps();
  EXPECT_TRUE(eventually([&] { return !delivery_.calls().empty(); }));
}

TEST_F(DeliveryQueueTest, a_full_batch_does_not_linger) {
  for (meta::IntentId id = 1; id <= options_.batch_max; ++id) {
    queue().add(id, {std::to_string(id)}, true, false, 1h);
  }
  clock_.end_all_naps();
  EXPECT_TRUE(eventually([&] { return queue().size() == 0; }));
  EXPECT_EQ(delivery_.calls().size(), 1U);
}

TEST_F(DeliveryQueueTest, who_waits_ends_the_lingering) {
  queue().add(1, {"a"}, false, false, 1h);
  EXPECT_TRUE(queue().wait_for({}, true, {}));
  EXPECT_EQ(delivery_.delivered(), Ids{1});
}

TEST_F(DeliveryQueueTest, what_lingers_can_be_withdrawn) {
  queue().add(1, {"a"}, false, false, 1h);
  EXPECT_TRUE(queue().withdraw(1));
  EXPECT_EQ(queue().size(), 0U);
  queue().add(2, {"a"});
  EXPECT_TRUE(queue().wait_for({}, true, {}));
  EXPECT_EQ(delivery_.delivered(), Ids{2});
}

TEST_F(DeliveryQueueTest, it_ends_while_something_lingers) {
  queue().add(1, {"a"}, false, false, 1h);
  queue_.reset();
  EXPECT_EQ(delivery_.delivered(), Ids{});
}

TEST_F(DeliveryQueueTest, an_attempt_that_fails_is_withdrawn_and_one_that_succeeds_is_not) {
  for (const bool succeeds : {false, true}) {
    delivery_.hold(1);
    if (!succeeds) {
      delivery_.fail_with(1, kNoAnswer);
    } else {
      delivery_.heal(1);
    }
    queue().add(1, {"a"});
    EXPECT_TRUE(eventually([&] { return delivery_.running() == 1; }));
    EXPECT_FALSE(queue().withdraw(1));
    std::jthread opener([&] { delivery_.release(1); });
    const auto withdrawn = queue().withdraw_after(1, {});
    ASSERT_TRUE(withdrawn);
    EXPECT_EQ(*withdrawn, !succeeds);
    EXPECT_EQ(queue().size(), 0U);
  }
}

TEST_F(DeliveryQueueTest, waiting_for_an_attempt_has_an_end) {
  delivery_.hold(1);
  queue().add(1, {"a"});
  EXPECT_TRUE(eventually([&] { return delivery_.running() == 1; }));
  EXPECT_EQ(queue().withdraw_after(1, {.deadline = clock_.steady(), .cancel = {}}).error().code, Errc::timeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(queue().withdraw_after(1, {SteadyTime::max(), stop.get_token()}).error().code, Errc::cancelled);
  delivery_.release(1);
}

}  // namespace
}  // namespace prefixfs::sync
