#pragma once
// How many retries all calls together may make, so that an outage is not answered with five times the load.

#include <algorithm>
#include <mutex>

#include "prefixfs/base/error.h"

namespace prefixfs::s3 {

/// A token bucket as in the "standard" retry mode of the AWS SDKs: a retry takes tokens, a success gives some back; but an empty bucket
/// only slows the retries down, as a call has its whole time promised. Thread-safe.
class RetryBudget {
 public:
  /// What the retry costs; 0 when the bucket is empty.
  int take(Errc reason) {
    const std::lock_guard lock(mutex_);
    const int cost = reason == Errc::timeout || reason == Errc::unavailable ? kCostNoAnswer : kCost;
    if (tokens_ < cost) {
      return 0;
    }
    tokens_ -= cost;
    return cost;
  }
  /// `taken` by the retry that succeeded; 0 for a first attempt.
  void succeeded(int taken) {
    const std::lock_guard lock(mutex_);
    tokens_ = std::min(tokens_ + std::max(taken, kRefund), kTokensMax);
  }

 private:
  static constexpr int kTokensMax = 500;
  static constexpr int kCost = 5;
  static constexpr int kCostNoAnswer = 10;
  static constexpr int kRefund = 1;

  std::mutex mutex_;
  int tokens_ = kTokensMax;
};

}  // namespace prefixfs::s3
