#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "prefixfs/base/clock.h"

namespace prefixfs::http {

/// The limits of one transfer that libcurl has no option for: CURLOPT_LOW_SPEED_TIME also runs while a server thinks, which would
/// forbid a first_byte_timeout longer than it, and nothing in libcurl measures from the end of the request to the status line.
/// Pure: time and counters come in with each call. One thread at a time.
class ProgressWatch {
 public:
  enum class Phase { connecting, sending, waiting, receiving };
  enum class Verdict { fine, no_answer, stalled };

  struct Limits {
    std::chrono::milliseconds first_byte;
    std::uint64_t low_speed_bytes_per_second;
    std::chrono::milliseconds low_speed_time;
    bool patient = false;  ///< while the server works on the request, that is progress
  };

  ProgressWatch(const Limits& limits, SteadyTime now);

  /// `bytes_moved` counts body bytes in both directions. To be called after every step of the transfer, and at next_check().
  Verdict check(Phase phase, std::uint64_t bytes_moved, SteadyTime now);
  /// When check() is due even if nothing happens; SteadyTime::max() for never.
  SteadyTime next_check() const;
  Phase phase() const { return phase_; }
  const Limits& limits() const { return limits_; }
  /// How much of the time since it was last asked was progress: up to the last byte that moved. Waiting for the answer is none.
  SteadyTime::duration take_progress() { return std::exchange(progress_, {}); }

 private:
  std::chrono::milliseconds tick() const;
  void begin_tick(std::uint64_t bytes_moved, SteadyTime now);
  void note_progress(Phase phase, std::uint64_t bytes_moved, SteadyTime now);

  Limits limits_;
  Phase phase_ = Phase::connecting;
  SteadyTime phase_since_;
  SteadyTime tick_since_;
  SteadyTime last_check_;
  SteadyTime fast_until_;  ///< the end of the last tick that was fast enough
  std::uint64_t tick_bytes_ = 0;
  SteadyTime progress_until_;  ///< what lies before is in progress_, or was none
  std::uint64_t progress_bytes_ = 0;
  SteadyTime::duration progress_{};
};

}  // namespace prefixfs::http
