#include "scattered_files.h"

#include <algorithm>

namespace prefixfs::vfs {

/// The directory that all of them lie below, with its slash.
std::string ScatteredFiles::common_directory_locked() const {
  std::string common = asked_.front().key;
  for (const Asked& asked : asked_) {
    common.resize(static_cast<std::size_t>(std::ranges::mismatch(common, asked.key).in1 - common.begin()));
  }
  common.resize(common.rfind('/') + 1);  // npos + 1: none
  return common;
}

std::optional<ScatteredFiles::Listing> ScatteredFiles::listing_for(const std::string& key, WallTime now, std::chrono::nanoseconds window) {
  const std::lock_guard lock(mutex_);
  asked_.push_back({key, now});
  if (asked_.size() > kAsked) {
    asked_.pop_front();
  }
  const bool often = asked_.size() == kAsked && now - asked_.front().at < window;
  const bool waits = now < not_before_ && not_before_ - now <= window * kPauseWindows;  // else the clock was set back
  if (!often || waits) {
    return std::nullopt;
  }
  Listing listing{.prefix = common_directory_locked(), .start_after = {}};
  if (whole_ != listing.prefix) {
    listing.start_after = key.substr(0, key.size() - 1);  // the key itself comes behind this
  }
  if (listing.start_after.size() <= listing.prefix.size()) {
    listing.start_after.clear();
  }
  not_before_ = now + window / kListingsInWindow;
  return listing;
}

void ScatteredFiles::listed(const Listing& listing, std::size_t confirmed, bool complete, WallTime now, std::chrono::nanoseconds window) {
  const std::lock_guard lock(mutex_);
  // One that began in the middle says nothing of what lies before; but the next one may begin at the beginning, to find out.
  whole_ = complete ? std::optional(listing.prefix) : std::nullopt;
  if (confirmed < kAsked) {
    not_before_ = now + window * kPauseWindows;
  }
}

}  // namespace prefixfs::vfs
