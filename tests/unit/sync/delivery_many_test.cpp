// Many intents: the cost of a step, and the promises in any course of things.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "delivery_fixture.h"

namespace prefixfs::sync {
namespace {

TEST_F(DeliveryQueueTest, a_hundred_thousand_are_quick) {
  constexpr meta::IntentId kMany = 100'000;
  delivery_.hold(1);
  delivery_.hold(2);
  delivery_.hold(3);
  const auto began = std::chrono::steady_clock::now();
  for (meta::IntentId id = 1; id <= kMany; ++id) {
    // Half of them in one line, half beside each other.
    queue().add(id, {id % 2 == 0 ? "line" : std::to_string(id)});
  }
  EXPECT_EQ(queue().size(), kMany);
  const auto added = std::chrono::steady_clock::now();
  for (meta::IntentId id = kMany; id > kMany / 2; --id) {
    queue().withdraw(id);
  }
  for (meta::IntentId id = 1; id <= 3; ++id) {
    delivery_.release(id);
  }
  EXPECT_TRUE(queue().wait_for({}, true, {}));
  const auto ended = std::chrono::steady_clock::now();
  // A scan of what waits at each step would take minutes; a sanitizer on a busy host takes seconds.
  EXPECT_LT(added - began, 10s);
  EXPECT_LT(ended - added, 30s);
  EXPECT_EQ(queue().size(), 0U);
}

/// Ends each delivery by chance, and looks at the promises meanwhile.
class ChanceDelivery {
 public:
  ChanceDelivery(std::map<meta::IntentId, std::set<std::string>> keys, Random& random) : keys_(std::move(keys)), random_(random) {}

  std::vector<Result<void>> operator()(std::span<const meta::IntentId> ids, const CallContext&) {
    enter(ids);
    std::this_thread::yield();
    std::vector<Result<void>> results;
    const std::lock_guard lock(mutex_);
    for (const meta::IntentId id : ids) {
      results.push_back(outcome(id));
      for (const std::string& key : keys_.at(id)) {
        --running_[key];
      }
    }
    return results;
  }
  /// Once the queue has ended:
  int deliveries(meta::IntentId id) const { return deliveries_.contains(id) ? deliveries_.at(id) : 0; }
  const std::map<std::string, Ids>& of_key() const { return of_key_; }

 private:
  void enter(std::span<const meta::IntentId> ids) {
    const std::lock_guard lock(mutex_);
    for (const meta::IntentId id : ids) {
      for (const std::string& key : keys_.at(id)) {
        EXPECT_EQ(++running_[key], 1) << "two at once of " << key;
      }
    }
  }
  Result<void> outcome(meta::IntentId id) {
    switch (random_.next() % 20) {
      case 0: return fail(kNoAnswer);
      case 1: return fail(kDenied);
      case 2: return fail(Errc::cancelled, "interrupted");
      default: break;
    }
    ++deliveries_[id];
    for (const std::string& key : keys_.at(id)) {
      of_key_[key].push_back(id);
    }
    return {};
  }

  const std::map<meta::IntentId, std::set<std::string>> keys_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, int> running_;
  std::map<meta::IntentId, int> deliveries_;
  std::map<std::string, Ids> of_key_;
};

TEST_F(DeliveryQueueTest, any_course_delivers_each_once_and_in_order) {
  constexpr meta::IntentId kMany = 3000;
  auto engine = seed_.engine();
  std::map<meta::IntentId, std::set<std::string>> keys;
  for (meta::IntentId id = 1; id <= kMany; ++id) {
    for (std::size_t i = 0; i < 1 + engine() % 2; ++i) {
      keys[id].insert(std::string(1, static_cast<char>('a' + engine() % 12)));
    }
  }
  ChanceDelivery chance(keys, random_);
  clock_.end_all_naps();
  DeliveryQueue random_queue(options_, std::ref(chance), clock_, random_, log_);
  std::set<meta::IntentId> withdrawn;
  for (const auto& [id, of_id] : keys) {
    random_queue.add(id, {of_id.begin(), of_id.end()}, engine() % 3 == 0, engine() % 50 == 0);
    if (const meta::IntentId other = engine() % id + 1; engine() % 40 == 0 && random_queue.withdraw(other)) {
      withdrawn.insert(other);
    }
    if (engine() % 10 == 0) {
      random_queue.retry({});
    }
  }
  while (!random_queue.wait_for({}, true, {})) {  // each refusal ends it
    random_queue.retry({});
  }
  random_queue.stop();
  for (meta::IntentId id = 1; id <= kMany; ++id) {
    EXPECT_EQ(chance.deliveries(id), withdrawn.contains(id) ? 0 : 1) << id;
  }
  for (const auto& [key, ids] : chance.of_key()) {
    EXPECT_TRUE(std::ranges::is_sorted(ids)) << "of key " << key;
  }
}

}  // namespace
}  // namespace prefixfs::sync
