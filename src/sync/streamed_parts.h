#pragma once
// The parts of a file whose size nobody knows yet.

#include <algorithm>
#include <cstdint>

#include "prefixfs/s3/object_store.h"
#include "prefixfs/sync/upload_plan.h"

namespace prefixfs::sync {

/// Bytes of the part with this index (from 0). It doubles after every twelfth of parts_max parts, so that small files have small parts and
/// 5 TiB fit all the same: 10,000 parts from 8 MiB on hold 13 TiB.
inline std::uint64_t streamed_part_bytes(std::size_t index, const PlanLimits& limits) {
  const std::size_t step = std::max<std::size_t>(static_cast<std::size_t>(limits.parts_max) / 12, 1);
  const std::uint64_t first = std::max(limits.part_bytes, limits.part_bytes_min);
  const auto doublings = std::min<std::size_t>(index / step, 20);
  return std::min(first << doublings, std::max(first, s3::kPartBytesMax));
}

}  // namespace prefixfs::sync
