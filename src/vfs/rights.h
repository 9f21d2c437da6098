#pragma once

#include <cstddef>
#include <mutex>

#include "prefixfs/base/clock.h"

namespace prefixfs::vfs {

/// What the credentials turned out to allow. Learnt from answers, never assumed: a refusal may be one moment's (a policy that is being
/// changed), so listing is tried again after a pause, which grows with every refusal. Thread-safe.
class Rights {
 public:
  explicit Rights(const Clock& clock) : clock_(clock) {}

  /// Whether a listing is worth its request: it was not refused, or that is long enough ago.
  bool may_list() const;
  /// Whether the last listing was refused: S3 then says 403 also of an object that is not there.
  bool list_was_refused() const;
  /// What S3 said to a listing. True when it is news, for the log: the first refusal, or the first success after one.
  bool learn_list(bool allowed);

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::size_t refusals_ = 0;  ///< in a row, each after the pause of the one before
  SteadyTime next_try_{};
};

}  // namespace prefixfs::vfs
