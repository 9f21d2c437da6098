#pragma once
// The locks of one host on one file: which are in whose way, and what is left when a part of one goes.

#include <optional>
#include <vector>

#include "prefixfs/locks/lock.h"

namespace prefixfs::locks {

bool overlap(ByteRange one, ByteRange other);

class HeldLocks {
 public:
  const std::vector<Lock>& all() const { return locks_; }
  bool empty() const { return locks_.empty(); }

  /// The first of another owner that forbids it.
  std::optional<Lock> in_the_way_of(const Lock& wanted) const;
  /// The same, whoever owns it: for the locks of another host, whose numbers mean nothing here.
  std::optional<Lock> of_others_in_the_way_of(const Lock& wanted) const;
  /// Whether the owner has just that already.
  bool covers(const Lock& wanted) const;
  bool holds(const Owner& owner, ByteRange range) const;

  /// Instead of what the owner has of that range.
  void set(const Lock& lock);
  void clear(const Owner& owner, ByteRange range);
  /// What was taken through that open file. False: nothing.
  bool clear_handle(std::uint64_t handle) { return std::erase_if(locks_, [&](const Lock& lock) { return lock.handle == handle; }) > 0; }
  /// As it was read: nothing is put together.
  void add(const Lock& lock) { locks_.push_back(lock); }

  friend bool operator==(const HeldLocks&, const HeldLocks&) = default;

 private:
  std::vector<Lock> locks_;
};

}  // namespace prefixfs::locks
