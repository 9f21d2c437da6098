#include "prefixfs/sync/upload_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/range_set.h"

namespace prefixfs::sync {

namespace {

using Ranges = std::vector<ByteRange>;

// A part may take up a remainder below the minimum, and must not exceed S3's limit then.
constexpr std::uint64_t kStagedPartMax = s3::kPartBytesMax / 2;

/// What is unchanged and long enough to be copied. The end of the file may be shorter: S3 lets the last part be small.
/// Nothing is, where `length_min` exceeds the size.
Ranges unchanged(std::uint64_t size, std::uint64_t base_size, const Ranges& dirty, std::uint64_t length_min) {
  stage::RangeSet clean;
  clean.add({0, std::min(size, base_size)});
  for (const ByteRange& range : dirty) {
    clean.remove(range);
  }
  Ranges found = clean.all();
  std::erase_if(found, [&](const ByteRange& range) { return range.length() < length_min && (range.end != size || length_min > size); });
  return found;
}

/// Takes so much of the copied ranges away that every staged range between them reaches the smallest part.
Ranges make_room(const Ranges& stored, std::uint64_t size, std::uint64_t part_min) {
  Ranges kept;
  for (ByteRange current : stored) {
    const std::uint64_t gap = current.begin - (kept.empty() ? 0 : kept.back().end);
    if (gap == 0 || gap >= part_min) {
      kept.push_back(current);
      continue;
    }
    const std::uint64_t need = part_min - gap;
    const bool at_end = current.end == size;
    if (current.length() >= need + part_min || (at_end && current.length() > need)) {
      current.begin += need;
      kept.push_back(current);
    } else if (!kept.empty() && kept.back().length() >= need + part_min) {
      kept.back().end -= need;
      kept.push_back(current);
    } else if (!kept.empty() && kept.back().length() < current.length()) {
      kept.back() = current;  // the shorter neighbour is sent
    }  // else the current one is the shorter, and is sent
  }
  return kept;
}

void add_staged(std::vector<PlannedPart>& parts, ByteRange range, std::uint64_t part, std::uint64_t part_min, bool last) {
  while (!range.empty()) {
    std::uint64_t length = std::min(part, range.length());
    const std::uint64_t rest = range.length() - length;
    if (!last && rest < part_min) {
      length = range.length();
    }
    parts.push_back({PlannedPart::From::staged, {range.begin, range.begin + length}});
    range.begin += length;
  }
}

/// In equal pieces, so that none is too small.
void add_stored(std::vector<PlannedPart>& parts, ByteRange range, std::uint64_t copy_max) {
  const std::uint64_t count = (range.length() + copy_max - 1) / copy_max;
  const std::uint64_t piece = range.length() / count;
  const std::uint64_t longer = range.length() % count;  // so many pieces have one byte more
  std::uint64_t at = range.begin;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t end = at + piece + (i < longer ? 1 : 0);
    parts.push_back({PlannedPart::From::stored, {at, end}});
    at = end;
  }
}

std::vector<PlannedPart> lay_out(const Ranges& stored, std::uint64_t size, std::uint64_t part, const PlanLimits& limits) {
  std::vector<PlannedPart> parts;
  std::uint64_t at = 0;
  for (const ByteRange& range : stored) {
    add_staged(parts, {at, range.begin}, part, limits.part_bytes_min, false);
    add_stored(parts, range, limits.copy_bytes_max);
    at = range.end;
  }
  add_staged(parts, {at, size}, part, limits.part_bytes_min, true);
  return parts;
}

}  // namespace

Ranges UploadPlan::staged_ranges(std::uint64_t size) const {
  stage::RangeSet ranges;
  if (single_put) {
    ranges.add({0, size});
  }
  for (const PlannedPart& part : parts) {
    if (part.from == PlannedPart::From::staged) {
      ranges.add(part.range);
    }
  }
  return ranges.all();
}

Result<UploadPlan> plan_upload(std::uint64_t size, std::uint64_t base_size, const Ranges& dirty, const PlanLimits& limits) {
  if (size > limits.object_bytes_max) {
    return fail(Errc::too_large, fmt::format("{} bytes are more than an object can have ({})", size, limits.object_bytes_max));
  }
  UploadPlan plan;
  if (size <= limits.part_bytes) {
    return plan;
  }
  plan.single_put = false;
  std::uint64_t part = std::max(limits.part_bytes, limits.part_bytes_min);
  std::uint64_t copy_min = limits.part_bytes_min;
  while (true) {
    const Ranges clean = limits.can_copy_parts ? unchanged(size, base_size, dirty, copy_min) : Ranges{};
    const Ranges stored = make_room(clean, size, limits.part_bytes_min);
    plan.parts = lay_out(stored, size, part, limits);
    if (plan.parts.size() <= static_cast<std::size_t>(limits.parts_max)) {
      return plan;
    }
    if (part >= kStagedPartMax && copy_min > size) {
      return fail(Errc::too_large, fmt::format("{} bytes do not fit in {} parts", size, limits.parts_max));
    }
    part = std::min(2 * part, kStagedPartMax);
    copy_min = std::min(2 * copy_min, size + 1);
  }
}

}  // namespace prefixfs::sync
