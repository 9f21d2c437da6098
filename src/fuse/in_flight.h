#pragma once
// Requests in hand, remembered beyond the death of the worker: one that kills it again and again must not do so for ever.

#include <linux/fuse.h>

#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "ledger.h"

namespace prefixfs::fuse {

/// Thread-safe. More requests than there are records are served without being remembered.
class InFlight {
 public:
  static constexpr unsigned kDeathsMax = 3;

  explicit InFlight(std::span<InFlightRecord> records);

  /// A worker begins: the one before has died, with what it had in hand.
  void count_deaths();
  /// A request has been read. False: kDeathsMax workers died with it; it is to be answered with EIO.
  bool admit(const fuse_in_header& header);
  /// Whether it was read, and not answered.
  bool holds(std::uint64_t unique);
  /// It is about to be answered.
  void answered(std::uint64_t unique);
  /// The worker ends in order: what it has not answered is not what ended it.
  void let_go();

 private:
  std::mutex mutex_;
  std::span<InFlightRecord> records_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
  std::vector<std::size_t> free_;
};

}  // namespace prefixfs::fuse
