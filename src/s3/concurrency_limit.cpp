#include "concurrency_limit.h"

#include <algorithm>

namespace prefixfs::s3 {

namespace {

// The SlowDown answers of one burst are one message.
constexpr std::chrono::seconds kBetweenReductions{1};
// The deadline is the injected clock's, so the wait looks at it now and then.
constexpr std::chrono::milliseconds kLookAtDeadline{20};

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(std::size_t in_flight_max, const Clock& clock)
    : limit_max_(static_cast<double>(std::max<std::size_t>(in_flight_max, 1))), clock_(clock), limit_(limit_max_) {}

Result<ConcurrencyLimit::Place> ConcurrencyLimit::enter(const CallContext& context) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "cancelled while waiting for a free connection");
    }
    if (clock_.steady() >= context.until()) {
      return fail(Errc::timeout, "no free connection before the deadline");
    }
    if (static_cast<double>(in_flight_) < limit_) {
      ++in_flight_;
      return Place(*this);
    }
    free_.wait_for(lock, context.cancel, kLookAtDeadline, [this] { return static_cast<double>(in_flight_) < limit_; });
  }
}

void ConcurrencyLimit::leave() {
  {
    const std::lock_guard lock(mutex_);
    --in_flight_;
  }
  free_.notify_one();
}

void ConcurrencyLimit::slow_down() {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady();
  if (lowered_at_ == SteadyTime{} || now - lowered_at_ >= kBetweenReductions) {
    lowered_at_ = now;
    limit_ = std::max(limit_ / 2, 1.0);
  }
}

void ConcurrencyLimit::succeeded() {
  const std::lock_guard lock(mutex_);
  limit_ = std::min(limit_ + 1 / limit_, limit_max_);
}

std::size_t ConcurrencyLimit::current() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(limit_);
}

}  // namespace prefixfs::s3
