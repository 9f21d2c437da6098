#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "prefixfs/base/call_context.h"

namespace prefixfs {

/// Waits until ready(), the end of the call's time, or its cancellation. Whether it is ready.
template <class Ready>
bool wait_within(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, const CallContext& context, Ready ready) {
  const SteadyTime deadline = context.until();
  // Some clocks do not bear the end of time.
  return deadline == SteadyTime::max() ? changed.wait(lock, context.cancel, std::move(ready))
                                       : changed.wait_until(lock, context.cancel, deadline, std::move(ready));
}

}  // namespace prefixfs
