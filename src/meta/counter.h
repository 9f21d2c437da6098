#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "lmdb_env.h"
#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

/// One kind of numbers, and the journal's record of those that are reserved; it is not there before the first one.
struct Numbers {
  std::string_view key;
  std::uint64_t first = 1;
  std::string_view what;
};
inline constexpr Numbers kInodeNumbers{"minode", kRootInode + 1, "inode numbers"};
inline constexpr Numbers kIntentNumbers{"mintent", 1, "numbers of intents"};

/// Gives numbers that were never given before, over restarts and crashes: a batch is reserved in the journal before its first
/// number is used.
/// Thread-safe.
class Counter {
 public:
  static constexpr std::uint64_t kBatchMin = 1024;
  static constexpr std::uint64_t kBatchMax = 65536;

  Counter(std::shared_ptr<LmdbEnv> journal, const Numbers& numbers) : journal_(std::move(journal)), numbers_(numbers) {}
  /// Waits for a disk sync once per batch. Errors: io, no_space, corrupt.
  Result<std::uint64_t> next();

 private:
  Result<void> reserve();

  std::shared_ptr<LmdbEnv> journal_;
  const Numbers numbers_;
  std::mutex mutex_;
  std::uint64_t batch_ = kBatchMin;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace prefixfs::meta
