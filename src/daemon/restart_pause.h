#pragma once

#include <algorithm>
#include <chrono>

namespace prefixfs::daemon {

/// How long to wait before a worker that has died is followed by the next.
class RestartPause {
 public:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kMax{30'000};
  static constexpr std::chrono::milliseconds kLivesLong{1000};

  /// After one that lived so long.
  std::chrono::milliseconds next(std::chrono::nanoseconds lived) {
    pause_ = lived >= kLivesLong ? std::chrono::milliseconds::zero() : std::clamp(pause_ * 2, kFirst, kMax);
    return pause_;
  }

 private:
  std::chrono::milliseconds pause_{0};
};

}  // namespace prefixfs::daemon
