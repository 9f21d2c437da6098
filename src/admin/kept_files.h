#pragma once
// What lies in kept/ of a cache directory. Read from the directory itself: no daemon need run.

#include <string>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"

namespace prefixfs::admin {

struct KeptFile {
  std::string id;        ///< its name in kept/
  std::string path;      ///< where it lies
  std::uint64_t bytes = 0;
  WallTime time{};       ///< when it was kept
  std::string key;       ///< below the mount; empty: not known
  std::string reason;
  std::string version;   ///< ETag of what it was made from
  bool incomplete = false;  ///< unchanged ranges that were never here read as zeros
};

/// In the order of their time. Errors: not_found, denied, io.
Result<std::vector<KeptFile>> list_kept(const std::string& cache_dir);
/// The one whose id begins so. Errors: not_found, invalid (several do), and as above.
Result<KeptFile> find_kept(const std::string& cache_dir, const std::string& id);
/// The file and what was written about it.
Result<void> remove_kept(const KeptFile& file);

}  // namespace prefixfs::admin
