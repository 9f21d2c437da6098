#pragma once
// Time comes in through constructors, so that tests own it.

#include <chrono>
#include <stop_token>

namespace prefixfs {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  /// Never goes back; for deadlines and for the age of what is cached in memory.
  virtual SteadyTime steady() const = 0;
  /// Blocks for `duration` or until `cancel`; false when cancelled.
  virtual bool sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady() const override;
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const override;
};

}  // namespace prefixfs
