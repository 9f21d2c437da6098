#pragma once

#include <algorithm>
#include <cstdint>

namespace prefixfs {

/// Bytes [begin, end) of a file or an object.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t length() const { return end > begin ? end - begin : 0; }
  bool empty() const { return end <= begin; }
  bool contains(ByteRange other) const { return other.empty() || (begin <= other.begin && other.end <= end); }
  ByteRange intersect(ByteRange other) const {
    return {std::max(begin, other.begin), std::max(std::max(begin, other.begin), std::min(end, other.end))};
  }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

}  // namespace prefixfs
