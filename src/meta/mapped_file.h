#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace prefixfs::meta {

/// Where this process has mapped the file that `descriptor` is of, from /proc/self/maps. Empty where that cannot be read.
std::vector<std::span<std::byte>> mappings_of(int descriptor);

}  // namespace prefixfs::meta
