#pragma once
// Does S3 answer? What the ends of attempts say together; no threads, no sleep.

#include <chrono>
#include <cstdint>
#include <optional>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/error.h"

namespace prefixfs::sync {

/// Not thread-safe. Time falls into epochs: an outage is one, and so is the time between two of them. An attempt speaks for the epoch in
/// which it began only: of sixteen that hang when S3 goes, the last one to fail says nothing of the time since.
class Outage {
 public:
  std::uint64_t epoch() const { return epoch_; }
  /// Why S3 does not answer; nothing while it does.
  const std::optional<Error>& error() const { return error_; }

  /// An attempt ended in an outage. True: one begins with it.
  bool failed(const Error& error, std::uint64_t began_in, SteadyTime now);
  /// S3 took an attempt or refused it. Something: the outage ends with it, and lasted so long.
  std::optional<std::chrono::nanoseconds> answered(std::uint64_t began_in, SteadyTime now);
  /// Before the next attempt: full jitter below a bound that doubles with each failure.
  std::chrono::nanoseconds pause(std::chrono::nanoseconds first, std::chrono::nanoseconds longest, std::uint64_t random) const;

 private:
  std::uint64_t epoch_ = 0;
  std::optional<Error> error_;
  SteadyTime since_{};
  unsigned failures_ = 0;  ///< in this outage
};

}  // namespace prefixfs::sync
