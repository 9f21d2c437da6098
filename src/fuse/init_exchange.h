#pragma once
// What kernel and daemon have agreed on when the mount began (FUSE_INIT), kept for the processes that take the mount over.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/fuse/mount.h"

namespace prefixfs::fuse {

struct InitExchange {
  std::vector<std::byte> request;  ///< as the kernel sent it
  std::uint64_t granted = 0;       ///< the flags of the answer

  SavedInit encode() const;
  /// Errors: corrupt.
  static Result<InitExchange> decode(std::span<const std::byte> saved);

  /// Whether the kernel sends again what was read and not answered (6.9 and later).
  bool kernel_resends() const;
  /// The request, with only those features offered that were granted: a newer program would agree with itself on more than the kernel knows.
  std::vector<std::byte> request_for_replay() const;
};

/// The flags of an answer to FUSE_INIT, without its header.
std::uint64_t granted_flags(std::span<const std::byte> answer);

}  // namespace prefixfs::fuse
