#include "prefixfs/stage/range_set.h"

#include <iterator>

namespace prefixfs::stage {

void RangeSet::add(ByteRange range) {
  if (range.empty()) {
    return;
  }
  auto next = ranges_.upper_bound(range.begin);
  if (next != ranges_.begin() && std::prev(next)->second >= range.begin) {
    --next;
  }
  while (next != ranges_.end() && next->first <= range.end) {
    range.begin = std::min(range.begin, next->first);
    range.end = std::max(range.end, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, range.begin, range.end);
}

void RangeSet::remove(ByteRange range) {
  if (range.empty()) {
    return;
  }
  auto next = ranges_.upper_bound(range.begin);
  if (next != ranges_.begin() && std::prev(next)->second > range.begin) {
    --next;
  }
  while (next != ranges_.end() && next->first < range.end) {
    const ByteRange cut{next->first, next->second};
    next = ranges_.erase(next);
    if (cut.begin < range.begin) {
      ranges_.emplace_hint(next, cut.begin, range.begin);
    }
    if (cut.end > range.end) {
      ranges_.emplace_hint(next, range.end, cut.end);
    }
  }
}

bool RangeSet::contains(ByteRange range) const {
  if (range.empty()) {
    return true;
  }
  const auto next = ranges_.upper_bound(range.begin);
  return next != ranges_.begin() && std::prev(next)->second >= range.end;
}

bool RangeSet::intersects(ByteRange range) const {
  if (range.empty()) {
    return false;
  }
  const auto next = ranges_.lower_bound(range.end);
  return next != ranges_.begin() && std::prev(next)->second > range.begin;
}

std::vector<ByteRange> RangeSet::gaps(ByteRange within) const {
  std::vector<ByteRange> found;
  std::uint64_t at = within.begin;
  for (const ByteRange& part : parts(within)) {
    if (at < part.begin) {
      found.push_back({at, part.begin});
    }
    at = part.end;
  }
  if (at < within.end) {
    found.push_back({at, within.end});
  }
  return found;
}

std::vector<ByteRange> RangeSet::parts(ByteRange within) const {
  std::vector<ByteRange> found;
  if (within.empty()) {
    return found;
  }
  auto next = ranges_.upper_bound(within.begin);
  if (next != ranges_.begin() && std::prev(next)->second > within.begin) {
    --next;
  }
  for (; next != ranges_.end() && next->first < within.end; ++next) {
    found.push_back({std::max(next->first, within.begin), std::min(next->second, within.end)});
  }
  return found;
}

std::vector<ByteRange> RangeSet::touching(ByteRange range) const {
  std::vector<ByteRange> found;
  if (range.empty()) {
    return found;
  }
  auto next = ranges_.upper_bound(range.begin);
  if (next != ranges_.begin() && std::prev(next)->second >= range.begin) {
    --next;
  }
  for (; next != ranges_.end() && next->first <= range.end; ++next) {
    found.push_back({next->first, next->second});
  }
  return found;
}

std::vector<ByteRange> RangeSet::all() const {
  std::vector<ByteRange> found;
  found.reserve(ranges_.size());
  for (const auto& [begin, end] : ranges_) {
    found.push_back({begin, end});
  }
  return found;
}

std::uint64_t RangeSet::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [begin, end] : ranges_) {
    sum += end - begin;
  }
  return sum;
}

}  // namespace prefixfs::stage
