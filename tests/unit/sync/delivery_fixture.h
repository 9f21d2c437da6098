#pragma once
// A delivery queue whose deliveries end when and how the test says, and whose pauses last until the test ends them.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "prefixfs/sync/delivery_queue.h"
#include "support/seed.h"
#include "support/store_calls.h"

namespace prefixfs::sync {

using namespace std::chrono_literals;
using Ids = std::vector<meta::IntentId>;

/// Stands still; who sleeps does so until the test ends the nap. Thread-safe.
class NappingClock final : public Clock {
 public:
  WallTime now() const override { return {}; }
  SteadyTime steady() const override {
    const std::lock_guard lock(mutex_);
    return steady_;
  }
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const override {
    std::unique_lock lock(mutex_);
    naps_.push_back(duration);
    ++asleep_;
    const bool slept = changed_.wait(lock, cancel, [this, nap = naps_.size()] { return ended_ >= nap; });
    --asleep_;
    steady_ += slept ? duration : 0ns;
    return slept;
  }
  /// Of the next one that was not ended yet, also when it has not begun.
  void end_nap() {
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }
  void end_all_naps() {
    const std::lock_guard lock(mutex_);
    ended_ = std::numeric_limits<std::size_t>::max();
    changed_.notify_all();
  }
  void advance(std::chrono::nanoseconds duration) {
    const std::lock_guard lock(mutex_);
    steady_ += duration;
  }
  int asleep() const {
    const std::lock_guard lock(mutex_);
    return asleep_;
  }
  std::vector<std::chrono::nanoseconds> naps() const {
    const std::lock_guard lock(mutex_);
    return naps_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable std::vector<std::chrono::nanoseconds> naps_;
  mutable SteadyTime steady_{1h};
  mutable int asleep_ = 0;
  std::size_t ended_ = 0;
};

/// What Deliver does. Thread-safe.
class FakeDelivery {
 public:
  std::vector<Result<void>> operator()(std::span<const meta::IntentId> ids, const CallContext& context) {
    std::unique_lock lock(mutex_);
    calls_.emplace_back(ids.begin(), ids.end());
    most_running_ = std::max(most_running_, ++running_);
    const auto free = [&] { return !all_held_ && std::ranges::none_of(ids, [&](auto id) { return held_.contains(id); }); };
    const bool ran = changed_.wait(lock, context.cancel, free);
    --running_;
    std::vector<Result<void>> results;
    for (const meta::IntentId id : ids) {
      results.push_back(ran ? result_of(id) : fail(Errc::cancelled, "the end"));
    }
    return results;
  }
  void hold(meta::IntentId id) { change([&] { held_.insert(id); }); }
  void release(meta::IntentId id) { change([&] { held_.erase(id); }); }
  void hold_all() { change([&] { all_held_ = true; }); }
  void release_all() { change([&] { all_held_ = false; }); }
  void fail_with(meta::IntentId id, Error error) { change([&] { errors_.insert_or_assign(id, std::move(error)); }); }
  void fail_all(Error error) { change([&] { error_of_all_ = std::move(error); }); }
  void heal(meta::IntentId id) { change([&] { errors_.erase(id); }); }
  void heal_all() { change([&] { error_of_all_.reset(); }); }

  Ids delivered() const { return get(delivered_); }
  /// As they began.
  std::vector<Ids> calls() const { return get(calls_); }
  int running() const { return get(running_); }
  int most_running() const { return get(most_running_); }

 private:
  Result<void> result_of(meta::IntentId id) {
    if (error_of_all_) {
      return fail(*error_of_all_);
    }
    if (const auto error = errors_.find(id); error != errors_.end()) {
      return fail(error->second);
    }
    delivered_.push_back(id);
    return {};
  }
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class T>
  T get(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<meta::IntentId> held_;
  bool all_held_ = false;
  std::map<meta::IntentId, Error> errors_;
  std::optional<Error> error_of_all_;
  Ids delivered_;
  std::vector<Ids> calls_;
  int running_ = 0;
  int most_running_ = 0;
};

/// Thread-safe.
class DeliveryLog final : public Log {
 public:
  bool enabled(LogLevel level) const override { return level != LogLevel::debug; }
  void write(LogLevel level, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(level, line);
  }
  std::vector<std::pair<LogLevel, std::string>> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

inline const Error kNoAnswer{Errc::unavailable, "no answer", {}};
inline const Error kDenied{Errc::denied, "access denied", {}};

class DeliveryQueueTest : public ::testing::Test {
 protected:
  DeliveryQueue& queue() {
    if (!queue_) {
      queue_ = std::make_unique<DeliveryQueue>(options_, std::ref(delivery_), clock_, random_, log_);
    }
    return *queue_;
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    return condition();
  }
  bool calls_become(std::size_t count) {
    return eventually([&] { return delivery_.calls().size() == count; });
  }
  /// All is delivered, or parked.
  bool comes_to_rest(std::size_t left = 0) {
    return eventually([&] { return queue().size() == left && delivery_.running() == 0; });
  }
  bool pauses() {
    return eventually([&] { return clock_.asleep() == 1; });
  }
  std::optional<DeliveryState> state_of(meta::IntentId id) {
    const auto states = queue().states();
    const auto found = std::ranges::find(states, id, &DeliveryState::id);
    return found == states.end() ? std::nullopt : std::optional(*found);
  }
  bool becomes(meta::IntentId id, DeliveryPhase phase) {
    return eventually([&] {
      const auto state = state_of(id);
      return state && state->phase == phase;
    });
  }

  const test::Seed seed_;
  test::SeededRandom random_{seed_};
  NappingClock clock_;
  DeliveryLog log_;
  FakeDelivery delivery_;
  DeliveryOptions options_{.threads = 3, .batch_max = 4, .first_pause = 1s, .pause_max = 5s};
  std::unique_ptr<DeliveryQueue> queue_;  // last: it ends before what it uses goes
};

}  // namespace prefixfs::sync
