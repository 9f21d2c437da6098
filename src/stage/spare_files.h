#pragma once
// Local files that are not needed any more, and are used again.

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::stage {

/// Each file that a program writes needs two local ones for a moment. To make and remove them costs a file system more than to empty one and to give it another
/// name: ext4 without a journal looks for an inode that was not removed lately, and needs a millisecond for that after a thousand removals. Thread-safe.
class SpareFiles {
 public:
  struct File {
    std::filesystem::path path;
    UniqueFd fd;
  };

  /// The spare ones lie in `directory`, as <16 hex digits>.spare.
  explicit SpareFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~SpareFiles();
  SpareFiles(const SpareFiles&) = delete;
  SpareFiles& operator=(const SpareFiles&) = delete;

  /// An empty file of mode 0600, for the caller to give a name. Errors: no_space, io.
  Result<File> take();
  /// The file has no name of its own any more: it is emptied, and kept or removed.
  void give(File file);

 private:
  std::filesystem::path next_path();

  static constexpr std::size_t kSparesMax = 64;
  const std::filesystem::path directory_;
  std::mutex mutex_;
  std::vector<File> spares_;
  std::uint64_t next_ = 1;
};

}  // namespace prefixfs::stage
