// How long it lasts: renewed, lost, taken over.

#include "file_lease.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::locks {
namespace {

// Unused for so many leases: what was seen of other hosts is forgotten.
constexpr int kIdleLeases = 10;

bool has_exclusive(const HeldLocks& held) {
  return std::ranges::any_of(held.all(), [](const Lock& lock) { return lock.mode == Mode::exclusive; });
}

}  // namespace

void FileLease::lose_if_late() {
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    late = !held_.empty() && parts_.clock.steady() >= lost_at();
  }
  if (late) {
    lose("S3 could not be told for so long that this host is there");
  }
}

void FileLease::lose(const std::string& why) {
  Lost lost{.inodes = inodes(), .exclusive = false, .why = why};
  {
    const std::lock_guard lock(mutex_);
    lost.exclusive = has_exclusive(held_);
    for (const Lock& held : held_.all()) {
      losers_[held.owner] = held.handle;
    }
    held_ = {};
    ++changes_;
    changed_.notify_all();
  }
  ++losses_;
  untold_ = true;
  unconfirmed_ = false;
  parts_.notes.remove(file_);
  parts_.log.error("the locks that programs of this host had on {} are lost: {}", file_.str(), why);
  parts_.lost(lost);
}

void FileLease::note() {
  LeaseNote note{.file = file_, .held = {.host = parts_.host, .beat = "-", .lease = parts_.lease, .locks = {}}, .inodes = {}, .renewed = renewed_};
  {
    const std::lock_guard lock(mutex_);
    note.held.locks = held_;
    inodes_ = held_.empty() && losers_.empty() ? std::set<std::uint64_t>() : inodes_;
    note.inodes.assign(inodes_.begin(), inodes_.end());
  }
  if (note.held.locks.empty() && !untold_) {
    parts_.notes.remove(file_);
  } else {
    parts_.notes.write(note);
  }
}

void FileLease::take_over(const LeaseNote& note) {
  const std::lock_guard exchange(exchange_mutex_);
  renewed_ = note.renewed;
  unconfirmed_ = !note.held.locks.empty();
  untold_ = true;
  const std::lock_guard lock(mutex_);
  held_ = note.held.locks;
  inodes_.insert(note.inodes.begin(), note.inodes.end());
}

/// What S3 has of this host is what it holds: the former worker may have died before it noted its last change.
Result<void> FileLease::confirm(const CallContext& context) {
  if (!unconfirmed_) {
    return {};
  }
  TRY(read(context));
  if (!unconfirmed_) {
    return {};  // lost
  }
  const HostEntry* const own = seen_ ? seen_->table.find(parts_.host) : nullptr;
  const HeldLocks held = own != nullptr ? own->locks : HeldLocks();
  TRY(publish(held, nullptr, context));
  unconfirmed_ = false;
  note();
  return {};
}

void FileLease::clean_up_after(const std::string& host) {
  const std::lock_guard exchange(exchange_mutex_);
  abandoned_ = host;
}

void FileLease::renew_if_due() {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  HeldLocks held;
  {
    const std::lock_guard lock(mutex_);
    held = held_;
  }
  const SteadyTime now = parts_.clock.steady();
  const bool due = unconfirmed_ || untold_ || !abandoned_.empty() || (!held.empty() && now - renewed_ >= parts_.lease / 3);
  if (!due || now - tried_at_ < parts_.lease / 12) {
    return;
  }
  tried_at_ = now;
  const CallContext context{.deadline = held.empty() ? now + parts_.lease : lost_at(), .cancel = {}};
  if (!abandoned_.empty()) {
    const auto known = read(context);
    const HostEntry* const left = known && seen_ ? seen_->table.find(abandoned_) : nullptr;
    if (!known || (left != nullptr && !expired(*left))) {
      return;
    }
    abandoned_.clear();
  }
  auto told = confirm(context);
  if (told) {
    const std::lock_guard lock(mutex_);
    held = held_;
  }
  told = told ? publish(held, nullptr, context) : told;
  if (told) {
    note();
  } else {
    parts_.log.debug("the lease of {} is not renewed: {}", file_.str(), describe(told.error()));
    lose_if_late();
  }
}

bool FileLease::is_idle() const {
  const std::lock_guard lock(mutex_);
  return held_.empty() && losers_.empty() && parts_.clock.steady() - used_ >= kIdleLeases * parts_.lease;
}

}  // namespace prefixfs::locks
