// What programs ask.

#include "file_lease.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::locks {
namespace {

// close(2) returns a moment before the kernel tells that the open file is gone.
constexpr std::chrono::milliseconds kUntilRelease{100};
constexpr std::chrono::seconds kReleaseLook{1};

}  // namespace

FileLease::FileLease(const LeaseParts& parts, Key file) : parts_(parts), file_(std::move(file)), object_(object_of(file_)) {
  used_ = parts_.clock.steady();
}

Result<void> FileLease::lock(std::uint64_t inode, const Lock& wanted, Asks asks, const CallContext& context) {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  auto done = lock_once(inode, wanted, asks, context);
  if (!done && done.error().code == Errc::io && check(wanted.owner)) {
    done = lock_once(inode, wanted, asks, context);  // what other programs of this host had was lost on the way
  }
  return done;
}

Result<void> FileLease::lock_once(std::uint64_t inode, const Lock& wanted, Asks asks, const CallContext& context) {
  TRY(confirm(context));
  TRY(check(wanted.owner));
  HeldLocks next;
  {
    const std::lock_guard lock(mutex_);
    used_ = parts_.clock.steady();
    if (held_.in_the_way_of(wanted)) {
      return fail(Errc::busy, file_.str() + " is locked by another program of this host");
    }
    if (held_.covers(wanted)) {
      inodes_.insert(inode);
      return {};
    }
    next = held_;
  }
  next.set(wanted);
  if (next.all().size() > Locks::kLocksMax) {
    return fail(Errc::unsupported, fmt::format("{} has {} locks of this host already", file_.str(), Locks::kLocksMax));
  }
  TRY(publish(next, &wanted, context, asks));
  {
    const std::lock_guard lock(mutex_);
    inodes_.insert(inode);
  }
  note();
  return {};
}

void FileLease::unlock(const Owner& owner, ByteRange range, const CallContext& context) {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  HeldLocks left;
  {
    const std::lock_guard lock(mutex_);
    used_ = parts_.clock.steady();
    losers_.erase(owner);
    if (!held_.holds(owner, range)) {
      return;
    }
    left = held_;
  }
  left.clear(owner, range);
  unlock_to(left, context);
}

void FileLease::closing(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::any_of(held_.all(), [&](const Lock& held) { return held.handle == handle; })) {
    closing_[handle] = parts_.clock.steady();
  }
}

void FileLease::unlock_handle(std::uint64_t handle, const CallContext& context) {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  HeldLocks left;
  {
    const std::lock_guard lock(mutex_);
    used_ = parts_.clock.steady();
    closing_[handle] = kReleased;
    left = held_;
    std::erase_if(losers_, [&](const auto& loser) { return loser.second == handle; });
  }
  if (left.clear_handle(handle)) {
    unlock_to(left, context);
  }
  const std::lock_guard lock(mutex_);
  closing_.erase(handle);
}

bool FileLease::wait_for_closing(const Lock& wanted, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto blocker = held_.in_the_way_of(wanted);
  const auto closing = blocker ? closing_.find(blocker->handle) : closing_.end();
  if (closing == closing_.end()) {
    return false;
  }
  const bool released = closing->second == kReleased;
  const auto rest = released ? SteadyTime::duration(kReleaseLook) : closing->second + kUntilRelease - parts_.clock.steady();
  if (rest <= SteadyTime::duration::zero()) {
    closing_.erase(closing);  // it has other descriptors
    return false;
  }
  const std::uint64_t before = changes_;
  changed_.wait_for(lock, stop, rest, [&] { return changes_ != before; });
  return !stop.stop_requested();
}

void FileLease::unlock_all(const CallContext& context) {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  {
    const std::lock_guard lock(mutex_);
    losers_.clear();
    if (held_.empty()) {
      return;
    }
  }
  unlock_to({}, context);
}

/// The program is rid of its lock, whatever S3 says: a lease of which nobody hears ends by itself.
void FileLease::unlock_to(const HeldLocks& left, const CallContext& context) {
  const std::uint64_t losses = losses_;
  giving_up_ = left.empty();
  auto told = confirm(context);
  if (told && losses == losses_) {
    told = publish(left, nullptr, context);
  }
  giving_up_ = false;
  if (!told && losses == losses_) {
    untold_ = true;
    parts_.log.warn("{} is unlocked here, and other hosts learn it later: {}", file_.str(), describe(told.error()));
    const std::lock_guard lock(mutex_);
    held_ = left;
    ++changes_;
    changed_.notify_all();
  }
  note();
}

Result<std::optional<Lock>> FileLease::in_the_way_of(const Lock& wanted, const CallContext& context) {
  const std::lock_guard exchange(exchange_mutex_);
  lose_if_late();
  TRY(confirm(context));
  {
    const std::lock_guard lock(mutex_);
    used_ = parts_.clock.steady();
    if (const auto own = held_.in_the_way_of(wanted)) {
      return own;
    }
  }
  TRY(read(context));
  return of_other_hosts_in_the_way_of(wanted);
}

bool FileLease::concerns(const Owner& owner, ByteRange range) const {
  const std::lock_guard lock(mutex_);
  return held_.holds(owner, range) || losers_.contains(owner);
}

bool FileLease::concerns_handle(std::uint64_t handle) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(losers_, [&](const auto& loser) { return loser.second == handle; }) ||
         std::ranges::any_of(held_.all(), [&](const Lock& held) { return held.handle == handle; });
}

bool FileLease::holds_nothing() const {
  const std::lock_guard lock(mutex_);
  return held_.empty() && losers_.empty();
}

std::vector<std::uint64_t> FileLease::inodes() const {
  const std::lock_guard lock(mutex_);
  return {inodes_.begin(), inodes_.end()};
}

bool FileLease::wait_for_change(std::chrono::nanoseconds pause, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = changes_;
  changed_.wait_for(lock, stop, pause, [&] { return changes_ != before; });
  return !stop.stop_requested();
}

Result<void> FileLease::check(const Owner& owner) const {
  const std::lock_guard lock(mutex_);
  return losers_.contains(owner) ? Result<void>(fail(Errc::io, fmt::format("the lock that the program had on {} was lost", file_.str()))) : Result<void>();
}

}  // namespace prefixfs::locks
