#include "prefixfs/base/clock.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace prefixfs {

WallTime SystemClock::now() const { return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now()); }

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

bool SystemClock::sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const {
  // "now + duration" must not overflow when a caller means "until cancelled".
  constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);
  const SteadyTime end = steady() + std::clamp(duration, std::chrono::nanoseconds(0), kLongest);
  std::mutex mutex;
  std::condition_variable_any wake;  // only _any listens to a stop_token
  std::unique_lock lock(mutex);
  wake.wait_until(lock, cancel, end, [] { return false; });
  return !cancel.stop_requested();
}

}  // namespace prefixfs
