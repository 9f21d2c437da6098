#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "prefixfs/object/byte_range.h"

namespace prefixfs::stage {

/// A set of bytes as disjoint, non-adjacent ranges. Not thread-safe.
class RangeSet {
 public:
  void add(ByteRange range);
  void remove(ByteRange range);
  void clear() { ranges_.clear(); }
  bool empty() const { return ranges_.empty(); }
  bool contains(ByteRange range) const;
  bool intersects(ByteRange range) const;
  /// What of `within` is not in the set, in order.
  std::vector<ByteRange> gaps(ByteRange within) const;
  /// What of `within` is in the set, in order.
  std::vector<ByteRange> parts(ByteRange within) const;
  /// The ranges of the set, uncut, that overlap `range` or lie directly beside it: what add(range) would melt into one.
  std::vector<ByteRange> touching(ByteRange range) const;
  std::vector<ByteRange> all() const;
  std::uint64_t bytes() const;  ///< sum of the lengths
  friend bool operator==(const RangeSet&, const RangeSet&) = default;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin -> end
};

}  // namespace prefixfs::stage
