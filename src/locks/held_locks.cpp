#include "held_locks.h"

#include <algorithm>

namespace prefixfs::locks {
namespace {

bool forbids(const Lock& held, const Lock& wanted) {
  return held.owner.kind == wanted.owner.kind && overlap(held.range, wanted.range) &&
         (held.mode == Mode::exclusive || wanted.mode == Mode::exclusive);
}

template <class Predicate>
std::optional<Lock> first_of(const std::vector<Lock>& locks, Predicate&& predicate) {
  const auto found = std::ranges::find_if(locks, predicate);
  return found == locks.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

bool overlap(ByteRange one, ByteRange other) { return one.begin < other.end && other.begin < one.end; }

std::optional<Lock> HeldLocks::in_the_way_of(const Lock& wanted) const {
  return first_of(locks_, [&](const Lock& held) { return held.owner != wanted.owner && forbids(held, wanted); });
}

std::optional<Lock> HeldLocks::of_others_in_the_way_of(const Lock& wanted) const {
  return first_of(locks_, [&](const Lock& held) { return forbids(held, wanted); });
}

/// Adjacent ranges of one owner and mode are one lock, so one that covers is a single one.
bool HeldLocks::covers(const Lock& wanted) const {
  return std::ranges::any_of(locks_, [&](const Lock& held) {
    return held.owner == wanted.owner && held.mode == wanted.mode && held.range.contains(wanted.range);
  });
}

bool HeldLocks::holds(const Owner& owner, ByteRange range) const {
  return std::ranges::any_of(locks_, [&](const Lock& held) { return held.owner == owner && overlap(held.range, range); });
}

void HeldLocks::set(const Lock& lock) {
  clear(lock.owner, lock.range);
  Lock whole = lock;
  std::erase_if(locks_, [&](const Lock& held) {
    const bool touches = held.range.begin <= whole.range.end && whole.range.begin <= held.range.end;
    if (held.owner != whole.owner || held.mode != whole.mode || !touches) {
      return false;
    }
    whole.range = {std::min(held.range.begin, whole.range.begin), std::max(held.range.end, whole.range.end)};
    return true;
  });
  locks_.push_back(whole);
}

void HeldLocks::clear(const Owner& owner, ByteRange range) {
  std::vector<Lock> left;
  for (const Lock& held : locks_) {
    if (held.owner != owner || !overlap(held.range, range)) {
      left.push_back(held);
      continue;
    }
    Lock part = held;
    part.range = {held.range.begin, range.begin};
    if (!part.range.empty()) {
      left.push_back(part);
    }
    part.range = {range.end, held.range.end};
    if (!part.range.empty()) {
      left.push_back(part);
    }
  }
  locks_ = std::move(left);
}

}  // namespace prefixfs::locks
