#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "lmdb_env.h"
#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

/// The journal's record of the numbers that are reserved; not there before the first one.
inline constexpr std::string_view kInodeKey = "minode";

/// Gives inode numbers that were never given before, over restarts and crashes: a batch is reserved in the journal before its first
/// number is used.
/// Thread-safe.
class InodeCounter {
 public:
  static constexpr std::uint64_t kBatchMin = 1024;
  static constexpr std::uint64_t kBatchMax = 65536;

  explicit InodeCounter(std::shared_ptr<LmdbEnv> journal) : journal_(std::move(journal)) {}
  /// Waits for a disk sync once per batch. Errors: io, no_space, corrupt.
  Result<InodeId> next();

 private:
  Result<void> reserve();

  std::shared_ptr<LmdbEnv> journal_;
  std::mutex mutex_;
  std::uint64_t batch_ = kBatchMin;
  InodeId next_ = 0;
  InodeId end_ = 0;
};

}  // namespace prefixfs::meta
