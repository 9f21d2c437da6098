#pragma once
// A lock that a program has on a file, as fcntl(2) and flock(2) mean it.

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <limits>

#include "prefixfs/object/byte_range.h"

namespace prefixfs::locks {

/// By which call it was taken. Locks of the two kinds never meet, as on a local file system.
enum class Kind { posix, flock };
enum class Mode { shared, exclusive };

/// Who has a lock: a process with its descriptors, by the kernel's number (posix), or an open file, by its handle (flock).
struct Owner {
  Kind kind = Kind::posix;
  std::uint64_t number = 0;
  friend auto operator<=>(const Owner&, const Owner&) = default;
};

/// All bytes that there are and will be.
inline constexpr ByteRange kEverything{0, std::numeric_limits<std::uint64_t>::max()};

struct Lock {
  Owner owner;
  Mode mode = Mode::exclusive;
  ByteRange range = kEverything;
  pid_t pid = 0;  ///< 0: not of this host
  std::uint64_t handle = 0;  ///< of the open file that it was taken through, and ends with
  friend bool operator==(const Lock&, const Lock&) = default;
};

}  // namespace prefixfs::locks
