#pragma once
// The names in stage/ that this process gives, and which of them a power loss leaves.

#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>

#include "spare_files.h"

namespace prefixfs::stage {

/// Thread-safe.
class StageNames {
 public:
  StageNames(std::filesystem::path directory, SpareFiles& spares, std::uint64_t next) : directory_(std::move(directory)), spares_(spares), next_(next) {}
  ~StageNames();
  StageNames(const StageNames&) = delete;
  StageNames& operator=(const StageNames&) = delete;

  /// An empty file under a name that no file has had. Errors: exists (somebody else has made it), no_space, io.
  Result<SpareFiles::File> make();
  /// A number that no file has.
  std::uint64_t take_number();
  /// None up to this one is given any more.
  void skip(std::uint64_t number);
  /// The name of this file survives a power loss afterwards. One sync is for all names that were made before it, so some are made ahead from the first on. Errors: io,
  /// no_space.
  Result<void> sync(const std::filesystem::path& file);

 private:
  Result<SpareFiles::File> make_locked();

  static constexpr std::size_t kMadeAhead = 16;
  const std::filesystem::path directory_;
  SpareFiles& spares_;
  std::mutex mutex_;
  std::uint64_t next_;
  std::uint64_t synced_ = 0;             ///< all names below it survive
  bool syncs_ = false;                   ///< somebody has asked for that
  std::deque<SpareFiles::File> made_;    ///< ahead
};

}  // namespace prefixfs::stage
