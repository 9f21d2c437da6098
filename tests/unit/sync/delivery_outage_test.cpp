// The queue while S3 does not answer, and who waits for it.

#include <gtest/gtest.h>

#include "delivery_fixture.h"
#include "outage.h"

namespace prefixfs::sync {
namespace {

using test::code_of;

TEST_F(DeliveryQueueTest, in_an_outage_one_at_a_time_is_tried_after_a_pause) {
  delivery_.fail_all(kNoAnswer);
  delivery_.hold_all();
  for (meta::IntentId id = 1; id <= 6; ++id) {
    queue().add(id, {std::to_string(id)}, true);
  }
  ASSERT_TRUE(eventually([&] { return delivery_.running() > 0; }));
  delivery_.release_all();
  ASSERT_TRUE(pauses());
  ASSERT_TRUE(eventually([&] {
    return std::ranges::all_of(queue().states(), [](const DeliveryState& state) { return state.phase == DeliveryPhase::waiting; });
  }));
  EXPECT_EQ(queue().outage()->what, "no answer");
  EXPECT_EQ(queue().size(), 6U);
  const std::size_t before = delivery_.calls().size();
  for (std::size_t i = 1; i <= 5; ++i) {
    clock_.end_nap();
    EXPECT_TRUE(eventually([&] { return clock_.naps().size() == i + 1; }));
    EXPECT_TRUE(pauses());
    EXPECT_EQ(delivery_.calls().size(), before + i);
    EXPECT_EQ(delivery_.calls().back().size(), 1U) << "no batch either";
  }
  delivery_.heal_all();
  delivery_.hold_all();
  clock_.end_nap();
  EXPECT_TRUE(calls_become(before + 6));
  EXPECT_EQ(delivery_.running(), 1);
  EXPECT_TRUE(queue().outage()) << "until it got through";
  delivery_.release_all();
  EXPECT_TRUE(comes_to_rest());
  EXPECT_FALSE(queue().outage());
}

TEST_F(DeliveryQueueTest, the_log_tells_the_beginning_and_the_end) {
  delivery_.fail_all(kNoAnswer);
  options_.threads = 1;
  delivery_.hold_all();
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  delivery_.release_all();
  ASSERT_TRUE(pauses());
  clock_.advance(90s);
  clock_.end_nap();
  ASSERT_TRUE(eventually([&] { return clock_.naps().size() == 2; }));
  delivery_.heal_all();
  queue().retry({});
  EXPECT_TRUE(comes_to_rest());
  ASSERT_EQ(log_.lines().size(), 2U);
  EXPECT_EQ(log_.lines()[0], std::pair(LogLevel::warn, std::string("S3 takes no changes, 2 of them wait: unavailable: no answer")));
  EXPECT_EQ(log_.lines()[1].first, LogLevel::info);
  EXPECT_TRUE(log_.lines()[1].second.starts_with("S3 takes changes again after 9")) << log_.lines()[1].second;
  EXPECT_TRUE(log_.lines()[1].second.ends_with(" s, 1 of them wait")) << log_.lines()[1].second;
}

TEST_F(DeliveryQueueTest, retry_ends_the_pause) {
  delivery_.fail_all(kNoAnswer);
  queue().add(1, {"a"});
  ASSERT_TRUE(pauses());
  delivery_.heal_all();
  queue().retry({});
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(DeliveryQueueTest, a_refusal_is_an_answer) {
  delivery_.fail_all(kNoAnswer);
  delivery_.fail_with(1, kDenied);
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  ASSERT_TRUE(pauses());
  delivery_.heal_all();
  clock_.end_all_naps();
  EXPECT_TRUE(comes_to_rest(1));
  EXPECT_FALSE(queue().outage());
  EXPECT_EQ(state_of(1)->phase, DeliveryPhase::parked);
}

TEST_F(DeliveryQueueTest, one_that_is_never_answered_does_not_hold_up_the_others) {
  delivery_.fail_with(1, kNoAnswer);
  clock_.end_all_naps();
  options_.threads = 1;
  for (meta::IntentId id = 1; id <= 20; ++id) {
    queue().add(id, {std::to_string(id)});
  }
  EXPECT_TRUE(eventually([&] { return delivery_.delivered().size() == 19; }));
  delivery_.heal(1);
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(DeliveryQueueTest, what_began_before_the_outage_does_not_speak_for_it) {
  delivery_.hold(1);
  delivery_.hold(2);
  queue().add(1, {"a"});
  queue().add(2, {"b"});
  ASSERT_TRUE(calls_become(2));
  delivery_.fail_with(3, kNoAnswer);
  queue().add(3, {"c"});
  ASSERT_TRUE(pauses());
  delivery_.release(1);
  EXPECT_TRUE(eventually([&] { return delivery_.delivered() == Ids{1}; }));
  EXPECT_TRUE(queue().outage()) << "its answer may be old";
  EXPECT_EQ(clock_.asleep(), 1);
  delivery_.heal(3);
  clock_.end_nap();
  EXPECT_TRUE(eventually([&] { return queue().size() == 1; }));
  EXPECT_FALSE(queue().outage());
  delivery_.fail_with(2, kNoAnswer);
  delivery_.release(2);
  EXPECT_TRUE(calls_become(5)) << "it is tried again at once";
  ASSERT_TRUE(pauses());
  EXPECT_EQ(log_.lines().size(), 3U) << "an outage, its end, and the one of the second attempt";
  delivery_.heal(2);
  clock_.end_nap();
  EXPECT_TRUE(comes_to_rest());
}

TEST_F(DeliveryQueueTest, an_outage_is_over_when_nothing_is_left_to_send) {
  delivery_.fail_all(kNoAnswer);
  queue().add(1, {"a"});
  ASSERT_TRUE(pauses());
  EXPECT_TRUE(queue().withdraw(1));
  EXPECT_FALSE(queue().outage());
  delivery_.heal_all();
  queue().add(2, {"b"});
  EXPECT_TRUE(comes_to_rest()) << "without a pause";
  EXPECT_EQ(clock_.asleep(), 1);
  ASSERT_EQ(log_.lines().size(), 2U);
  EXPECT_EQ(log_.lines()[1].second, "no change waits for S3 any more, which took none for 0.0 s");
}

// ---- wait_for ----

class DeliveryWaitTest : public DeliveryQueueTest {
 protected:
  /// Waits on a thread of its own.
  void begin_wait(Ids ids, bool through_outage = true, CallContext context = {}) {
    waiter_ = std::jthread([this, ids, through_outage, context] {
      auto result = queue_->wait_for(ids, through_outage, context);
      const std::lock_guard lock(mutex_);
      code_ = result ? "ok" : code_of(result);
    });
  }
  std::string code() {
    const std::lock_guard lock(mutex_);
    return code_;
  }
  std::string end_of_wait() {
    EXPECT_TRUE(eventually([&] { return !code().empty(); }));
    return code();
  }

  std::mutex mutex_;
  std::string code_;
  std::jthread waiter_;
};

TEST_F(DeliveryWaitTest, ends_with_the_last_one) {
  delivery_.hold(1);
  delivery_.hold(2);
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  queue().add(3, {"c"}, false, true);
  begin_wait({1, 2, 2, 99});
  delivery_.release(1);
  ASSERT_TRUE(becomes(2, DeliveryPhase::running));
  EXPECT_EQ(code(), "");
  delivery_.release(2);
  EXPECT_EQ(end_of_wait(), "ok");
}

TEST_F(DeliveryWaitTest, what_is_gone_is_not_waited_for) {
  delivery_.fail_all(kNoAnswer);
  queue().add(1, {"a"});
  ASSERT_TRUE(pauses());
  EXPECT_TRUE(queue().wait_for(Ids{7, 8}, false, {}));
}

TEST_F(DeliveryWaitTest, a_withdrawn_one_is_not_waited_for) {
  queue().add(1, {"a"}, false, true);
  delivery_.hold(2);
  queue().add(2, {"a"});
  begin_wait({2});
  EXPECT_TRUE(queue().withdraw(2));
  EXPECT_EQ(end_of_wait(), "ok");
}

TEST_F(DeliveryWaitTest, ends_with_the_refusal) {
  delivery_.hold(1);
  delivery_.fail_with(1, kDenied);
  queue().add(1, {"a"});
  queue().add(2, {"a"});
  begin_wait({2, 1});
  ASSERT_TRUE(becomes(1, DeliveryPhase::running));
  delivery_.release(1);
  EXPECT_EQ(end_of_wait(), "denied");
  EXPECT_EQ(code_of(queue().wait_for({}, true, {})), "denied") << "also what comes later";
}

TEST_F(DeliveryWaitTest, ends_with_an_outage_where_it_is_not_waited_through) {
  delivery_.hold(1);
  delivery_.fail_all({Errc::credentials, "expired", {}});
  queue().add(1, {"a"});
  begin_wait({1}, false);
  ASSERT_TRUE(becomes(1, DeliveryPhase::running));
  delivery_.release(1);
  EXPECT_EQ(end_of_wait(), "unavailable");
  const auto later = queue().wait_for(Ids{1}, false, {});
  EXPECT_EQ(later.error().what, "S3 has not taken all changes: expired");
}

TEST_F(DeliveryWaitTest, goes_through_an_outage) {
  delivery_.fail_all(kNoAnswer);
  queue().add(1, {"a"});
  begin_wait({1});
  ASSERT_TRUE(pauses());
  delivery_.heal_all();
  EXPECT_EQ(code(), "");
  clock_.end_nap();
  EXPECT_EQ(end_of_wait(), "ok");
}

TEST_F(DeliveryWaitTest, ends_with_its_context) {
  delivery_.hold(1);
  queue().add(1, {"a"});
  EXPECT_EQ(code_of(queue().wait_for({}, true, {.deadline = clock_.steady()})), "timeout");
  std::stop_source stop;
  begin_wait({1}, true, {.cancel = stop.get_token()});
  stop.request_stop();
  EXPECT_EQ(end_of_wait(), "cancelled");
  delivery_.release(1);
  EXPECT_TRUE(comes_to_rest()) << "nobody is told who has left";
}

TEST_F(DeliveryWaitTest, looks_at_the_deadline_of_its_clock) {
  delivery_.hold(1);
  queue().add(1, {"a"});
  begin_wait({1}, true, {.deadline = clock_.steady() + 1h});
  clock_.advance(1h);
  EXPECT_EQ(end_of_wait(), "timeout");
}

TEST_F(DeliveryWaitTest, ends_with_the_queue) {
  delivery_.hold(1);
  queue().add(1, {"a"});
  begin_wait({1});
  queue().stop();
  EXPECT_EQ(end_of_wait(), "cancelled");
}

// ---- the parts ----

TEST(Outage, is_what_says_nothing_of_the_intent) {
  const auto error = [](Errc code, std::string_view s3_code = "") {
    Error made{code, "", {}};
    made.origin.s3_code = s3_code;
    return made;
  };
  for (const Errc code : {Errc::unavailable, Errc::throttled, Errc::timeout, Errc::credentials, Errc::wrong_region}) {
    EXPECT_TRUE(is_outage(error(code))) << to_string(code);
  }
  for (const Errc code : {Errc::cancelled, Errc::no_space, Errc::not_found, Errc::denied, Errc::conflict, Errc::internal, Errc::io,
                          Errc::too_large, Errc::invalid, Errc::unsupported, Errc::corrupt}) {
    EXPECT_FALSE(is_outage(error(code))) << to_string(code);
  }
  EXPECT_TRUE(is_outage(error(Errc::not_found, "NoSuchBucket")));
  EXPECT_FALSE(is_outage(error(Errc::not_found, "NoSuchKey")));
  EXPECT_FALSE(is_outage(error(Errc::denied, "AccessDenied")));
  for (const auto* s3_code : {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "TokenRefreshRequired", "AccountProblem",
                              "InvalidToken", "RequestTimeTooSkewed", "AllAccessDisabled"}) {
    EXPECT_TRUE(is_outage(error(Errc::denied, s3_code))) << s3_code;
  }
}

TEST(Outage, pauses_double_up_to_the_longest) {
  Outage outage;
  constexpr std::uint64_t kMost = 999'999'999;
  std::vector<std::chrono::nanoseconds> bounds;
  for (int i = 0; i < 6; ++i) {
    outage.failed(kNoAnswer, outage.epoch(), SteadyTime(1s));
    const auto pause = [&](std::uint64_t random) { return outage.pause(1ms, 5ms, random); };
    bounds.push_back(std::max({pause(1'000'000), pause(2'000'000), pause(4'000'000), pause(5'000'000)}));
    EXPECT_LE(pause(kMost), 5ms);
    EXPECT_EQ(pause(0), 0ns);
  }
  EXPECT_EQ(bounds, (std::vector<std::chrono::nanoseconds>{1ms, 2ms, 4ms, 5ms, 5ms, 5ms}));
  EXPECT_EQ(outage.pause(10ms, 5ms, 5'000'000), 5ms);
  EXPECT_EQ(outage.answered(outage.epoch(), SteadyTime(4s)), 3s);
  outage.failed(kNoAnswer, outage.epoch(), SteadyTime(9s));
  EXPECT_LE(outage.pause(1ms, 5ms, kMost), 1ms) << "the next outage begins anew";
}

TEST(Outage, an_attempt_speaks_for_its_own_epoch) {
  Outage outage;
  const std::uint64_t before = outage.epoch();
  EXPECT_FALSE(outage.answered(before, SteadyTime(1s)));
  EXPECT_TRUE(outage.failed(kNoAnswer, before, SteadyTime(1s)));
  EXPECT_FALSE(outage.failed(kDenied, before, SteadyTime(2s)));
  EXPECT_EQ(outage.error()->what, "no answer");
  EXPECT_FALSE(outage.answered(before, SteadyTime(2s)));
  const std::uint64_t within = outage.epoch();
  EXPECT_FALSE(outage.failed({Errc::timeout, "slow", {}}, within, SteadyTime(3s))) << "it goes on";
  EXPECT_EQ(outage.error()->what, "slow");
  EXPECT_EQ(outage.answered(within, SteadyTime(5s)), 4s);
  EXPECT_FALSE(outage.error());
  EXPECT_FALSE(outage.failed(kNoAnswer, within, SteadyTime(6s)));
}

}  // namespace
}  // namespace prefixfs::sync
