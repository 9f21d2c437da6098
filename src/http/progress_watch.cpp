#include "progress_watch.h"

#include <algorithm>

namespace prefixfs::http {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Looks at an upload this often, so that its end is not noticed late.
constexpr milliseconds kSendingPoll{50};
/// A caller may pass the largest number for "never", which would overflow.
constexpr std::chrono::hours kNever{24 * 365};

ProgressWatch::ProgressWatch(const Limits& limits, SteadyTime now)
    : limits_(limits), phase_since_(now), tick_since_(now), last_check_(now), fast_until_(now), progress_until_(now) {
  limits_.first_byte = std::min<milliseconds>(limits_.first_byte, kNever);
}

/// Speed is looked at once a second, or oftener where the limit itself is short.
milliseconds ProgressWatch::tick() const { return std::clamp(limits_.low_speed_time / 4, milliseconds(1), milliseconds(1000)); }

void ProgressWatch::begin_tick(std::uint64_t bytes_moved, SteadyTime now) {
  tick_since_ = now;
  tick_bytes_ = bytes_moved;
}

/// A pause between two moves was no standstill, as now is known; a pause that has not ended yet may be one.
void ProgressWatch::note_progress(Phase phase, std::uint64_t bytes_moved, SteadyTime now) {
  const bool transferring = phase_ == Phase::sending || phase_ == Phase::receiving;
  const bool working = limits_.patient && (phase_ == Phase::waiting || phase_ == Phase::receiving);
  const bool progress = working || (transferring && bytes_moved != progress_bytes_);
  if (progress) {
    progress_ += now - progress_until_;
  }
  if (progress || phase != phase_) {
    progress_until_ = now;
  }
  progress_bytes_ = bytes_moved;
}

ProgressWatch::Verdict ProgressWatch::check(Phase phase, std::uint64_t bytes_moved, SteadyTime now) {
  last_check_ = now;
  note_progress(phase, bytes_moved, now);
  if (phase != phase_) {
    phase_ = phase;
    phase_since_ = now;
    fast_until_ = now;
    begin_tick(bytes_moved, now);
  }
  if (phase == Phase::connecting) {
    return Verdict::fine;  // CURLOPT_CONNECTTIMEOUT_MS
  }
  if (phase == Phase::waiting) {
    return now - phase_since_ >= limits_.first_byte ? Verdict::no_answer : Verdict::fine;
  }
  const auto elapsed = duration_cast<milliseconds>(now - tick_since_);
  if (limits_.low_speed_bytes_per_second == 0 || elapsed < tick()) {
    return Verdict::fine;
  }
  const std::uint64_t wanted = limits_.low_speed_bytes_per_second * static_cast<std::uint64_t>(elapsed.count()) / 1000;
  if (bytes_moved - tick_bytes_ >= std::max<std::uint64_t>(wanted, 1)) {
    fast_until_ = now;
  }
  begin_tick(bytes_moved, now);
  return now - fast_until_ >= limits_.low_speed_time ? Verdict::stalled : Verdict::fine;
}

SteadyTime ProgressWatch::next_check() const {
  if (phase_ == Phase::waiting) {
    return phase_since_ + limits_.first_byte;
  }
  if (phase_ == Phase::sending) {
    return last_check_ + kSendingPoll;
  }
  if (phase_ == Phase::connecting || limits_.low_speed_bytes_per_second == 0) {
    return SteadyTime::max();
  }
  return tick_since_ + tick();
}

}  // namespace prefixfs::http
