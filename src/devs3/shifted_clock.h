#pragma once

#include <atomic>
#include <chrono>

#include "prefixfs/base/clock.h"

namespace prefixfs::devs3 {

/// The system's clock, wrong by as much as a test wants. Thread-safe.
class ShiftedClock final : public Clock {
 public:
  void set_offset(std::chrono::seconds offset) { offset_s_ = offset.count(); }
  WallTime now() const override { return system_.now() + std::chrono::seconds(offset_s_); }
  SteadyTime steady() const override { return system_.steady(); }
  bool sleep_for(std::chrono::nanoseconds duration, std::stop_token cancel) const override { return system_.sleep_for(duration, cancel); }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> offset_s_ = 0;
};

}  // namespace prefixfs::devs3
