#pragma once
// Which bytes to fetch when a program reads: a pure function of what it read before.

#include <cstdint>
#include <vector>

#include "prefixfs/object/byte_range.h"

namespace prefixfs::vfs {

struct ReadAheadLimits {
  std::uint64_t first_block_bytes = 128 << 10;
  std::uint64_t part_bytes = 8 << 20;
  std::size_t parts_ahead = 6;
  std::uint64_t scattered_bytes_max = 0;  ///< the largest file of which all is fetched because a program reads everywhere in it
};

/// One for each handle; not thread-safe.
/// A read out of order fetches a little more than itself, so that seeking is fast. Who has asked for as many places as the file has parts will probably ask for as many
/// again, so that each further one brings its part along: at most twice the requests of either way. Reading in order fetches whole parts, and the deeper
/// the run, the more parts ahead, up to parts_ahead.
class ReadAhead {
 public:
  explicit ReadAhead(const ReadAheadLimits& limits) : limits_(limits) {}

  struct Plan {
    ByteRange now;                  ///< covers the read; the caller waits only for the bytes it needs
    std::vector<ByteRange> ahead;   ///< parts to fetch in the background
    bool scattered = false;         ///< the read is of no run: `ahead` may wait until others have come
  };
  /// For a read of `wanted` in a file of `size` bytes. Ranges may overlap what is already local.
  Plan plan(ByteRange wanted, std::uint64_t size, bool is_local = false);

 private:
  bool early(ByteRange wanted) const;
  Plan scattered(ByteRange wanted, std::uint64_t size, bool is_local);
  ByteRange aligned(ByteRange wanted, std::uint64_t step, std::uint64_t size) const;

  ReadAheadLimits limits_;
  std::uint64_t run_begin_ = 0;
  std::uint64_t expected_ = 0;     // where a read in order begins
  std::uint64_t run_bytes_ = 0;    // read in order so far
  std::uint64_t ahead_end_ = 0;    // planned up to here in this run
  std::uint64_t missed_ = 0;       // reads of no run that were not local
};

}  // namespace prefixfs::vfs
