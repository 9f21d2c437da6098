#pragma once
// How a changed file becomes requests: a pure function, so that every case can be a test.

#include <cstdint>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/object/byte_range.h"

namespace prefixfs::sync {

struct PlanLimits {
  std::uint64_t part_bytes = 8ULL << 20;             ///< the usual part, and the largest single PutObject
  std::uint64_t part_bytes_min = 5ULL << 20;
  std::uint64_t copy_bytes_max = 5ULL << 30;
  int parts_max = 10000;
  std::uint64_t object_bytes_max = 5ULL << 40;
  bool can_copy_parts = true;
};

struct PlannedPart {
  enum class From { staged, stored };  ///< stored: UploadPartCopy of the same range of the version we started from
  From from = From::staged;
  ByteRange range;
  friend bool operator==(const PlannedPart&, const PlannedPart&) = default;
};

struct UploadPlan {
  bool single_put = true;          ///< one PutObject of the whole file; `parts` is empty
  std::vector<PlannedPart> parts;  ///< consecutive, from 0 to the size
  /// The bytes that must be in the staged file before the plan can run: all ranges `from` staged.
  std::vector<ByteRange> staged_ranges(std::uint64_t size) const;
};

/// `size`: of the file now. `base_size`: so many leading bytes are those of the stored version where they are not in `dirty`
/// (0: nothing can be copied). Unchanged ranges are copied where that is allowed by S3's limits, changed ones sent; a part of
/// changed bytes that is too small takes in unchanged neighbours. Parts grow where parts_max asks for it.
/// Errors: too_large.
Result<UploadPlan> plan_upload(std::uint64_t size, std::uint64_t base_size, const std::vector<ByteRange>& dirty, const PlanLimits& limits);

}  // namespace prefixfs::sync
