#pragma once
// How many requests may be in flight. SlowDown halves the number, success lets it grow again (additive increase, multiplicative
// decrease, as TCP does).

#include <condition_variable>
#include <mutex>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/result.h"

namespace prefixfs::s3 {

/// Thread-safe.
class ConcurrencyLimit {
 public:
  ConcurrencyLimit(std::size_t in_flight_max, const Clock& clock);

  /// One request's place; gives it back when it goes.
  class Place {
   public:
    explicit Place(ConcurrencyLimit& limit) : limit_(&limit) {}
    Place(Place&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (limit_ != nullptr) {
        limit_->leave();
      }
    }

   private:
    ConcurrencyLimit* limit_;
  };

  /// Waits for a place. Errors: timeout, cancelled.
  Result<Place> enter(const CallContext& context);
  void slow_down();
  void succeeded();
  std::size_t current() const;

 private:
  void leave();

  const double limit_max_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any free_;
  double limit_;
  std::size_t in_flight_ = 0;
  SteadyTime lowered_at_{};
};

}  // namespace prefixfs::s3
