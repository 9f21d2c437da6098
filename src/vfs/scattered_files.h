#pragma once
// Files all over a tree that are asked for one by one.

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "prefixfs/base/clock.h"

namespace prefixfs::vfs {

/// Programs that keep many small files in many directories (git's objects, a build) open one after another, and each is only to be confirmed. Where a listing of the tree that
/// they lie in would do that for many at once, this says so. Thread-safe.
class ScatteredFiles {
 public:
  struct Listing {
    std::string prefix;
    std::string start_after;  ///< empty: from the beginning
  };
  /// S3 is to be asked for `key`. A listing: that is to be asked for first.
  std::optional<Listing> listing_for(const std::string& key, WallTime now, std::chrono::nanoseconds window);
  /// What it brought: so many files that would have been asked for alone, and whether its page was the last one.
  void listed(const Listing& listing, std::size_t confirmed, bool complete, WallTime now, std::chrono::nanoseconds window);

 private:
  static constexpr std::size_t kAsked = 8;      ///< within a window, before it is worth a listing
  static constexpr int kListingsInWindow = 4;   ///< at most: more would be one for each file where they are opened in no order in a large tree
  static constexpr int kPauseWindows = 30;      ///< after one that has brought less than kAsked
  struct Asked {
    std::string key;
    WallTime at;
  };
  std::string common_directory_locked() const;

  std::mutex mutex_;
  std::deque<Asked> asked_;  ///< the last ones, at most kAsked
  std::optional<std::string> whole_;  ///< the prefix of the last listing, if that was all of it
  WallTime not_before_{};    ///< the next one
};

}  // namespace prefixfs::vfs
