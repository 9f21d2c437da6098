#pragma once
// How long a call may take, and who may stop it.

#include <stop_token>

#include "prefixfs/base/clock.h"

namespace prefixfs {

/// Travels down with every call that may wait. A callee may shorten the deadline for what it calls, never extend it.
struct CallContext {
  SteadyTime deadline = SteadyTime::max();  ///< then the call fails with Errc::timeout
  std::stop_token cancel;                   ///< then the call fails with Errc::cancelled
};

}  // namespace prefixfs
