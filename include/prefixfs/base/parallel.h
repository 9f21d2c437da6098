#pragma once

#include <cstddef>
#include <functional>

namespace prefixfs {

/// Calls `work` with 0 to count - 1, up to `threads_max` at a time, and returns when all calls have. One alone runs in the caller's thread.
/// `work` does not throw.
void for_each_index(std::size_t count, std::size_t threads_max, const std::function<void(std::size_t)>& work);

}  // namespace prefixfs
