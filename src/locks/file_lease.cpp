#include "file_lease.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::locks {
namespace {

// See Asks::together: half of the shortest pause.
constexpr std::chrono::milliseconds kJustRead{25};
constexpr int kRacesMax = 20;
constexpr std::chrono::milliseconds kRacePauseMax{50};
// Unused for so many leases: what was seen of other hosts is forgotten.
constexpr int kIdleLeases = 10;

std::set<Owner> owners_of(const HeldLocks& held) {
  std::set<Owner> owners;
  for (const Lock& lock : held.all()) {
    owners.insert(lock.owner);
  }
  return owners;
}

bool has_exclusive(const HeldLocks& held) {
  return std::ranges::any_of(held.all(), [](const Lock& lock) { return lock.mode == Mode::exclusive; });
}

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

/// Asks S3 which version of the lease object is there.
Result<void> FileLease::read(const CallContext& context) {
  const SteadyTime asked = parts_.clock.steady();
  TRY_ASSIGN(seen_, read_lease(parts_.store, object_, seen_, context));
  read_at_ = asked;
  watch();
  const HostEntry* const own = seen_ ? seen_->table.find(parts_.host) : nullptr;
  bool holds = false;
  {
    const std::lock_guard lock(mutex_);
    holds = !held_.empty();
  }
  if (holds && own == nullptr && !giving_up_) {
    lose("another host has taken over, as it did not hear of this one for so long");
  }
  untold_ = untold_ && own != nullptr;
  return {};
}

/// Only this host's own clock counts: a lease is over when its holder has not written for so long as we look.
void FileLease::watch() {
  std::map<std::string, Watched> now;
  for (const HostEntry& entry : seen_ ? seen_->table.hosts : std::vector<HostEntry>()) {
    const auto before = watched_.find(entry.host);
    const bool same = before != watched_.end() && before->second.beat == entry.beat;
    now[entry.host] = same ? before->second : Watched{.beat = entry.beat, .since = read_at_};
  }
  watched_ = std::move(now);
}

/// With a tenth more than the lease, as two clocks need not run alike.
bool FileLease::expired(const HostEntry& entry) const {
  const auto watched = watched_.find(entry.host);
  return entry.host != parts_.host && watched != watched_.end() && watched->second.beat == entry.beat &&
         read_at_ - watched->second.since >= entry.lease + entry.lease / 10;
}

std::optional<Lock> FileLease::of_other_hosts_in_the_way_of(const Lock& wanted) const {
  for (const HostEntry& entry : seen_ ? seen_->table.hosts : std::vector<HostEntry>()) {
    if (entry.host == parts_.host || expired(entry)) {
      continue;
    }
    if (auto lock = entry.locks.of_others_in_the_way_of(wanted)) {
      lock->pid = 0;
      return lock;
    }
  }
  return std::nullopt;
}

/// What is to stand there: `held` of this host, and what is alive of others.
LeaseTable FileLease::table_with(const HeldLocks& held) {
  LeaseTable table = seen_ ? seen_->table : LeaseTable();
  table.file = file_.str();
  table.remove(parts_.host);
  std::erase_if(table.hosts, [&](const HostEntry& entry) {
    if (expired(entry)) {
      parts_.log.warn("host {} has not been heard of for {} s: its locks on {} are over", entry.host,
                      std::chrono::duration_cast<std::chrono::seconds>(entry.lease).count(), file_.str());
      return true;
    }
    return false;
  });
  if (!held.empty()) {
    table.hosts.push_back({.host = parts_.host, .beat = fmt::format("{:016x}", parts_.random.next()), .lease = parts_.lease, .locks = held});
  }
  return table;
}

/// S3 gets `held` as all that this host holds, which counts here when S3 has it. With `wanted`: unless another host forbids that.
Result<void> FileLease::publish(const HeldLocks& held, const Lock* wanted, const CallContext& context, Asks asks) {
  bool asked = false;
  const auto ask = [&, losses = losses_]() -> Result<void> {
    TRY(read(context));
    asked = true;
    return losses == losses_ ? Result<void>() : fail(Errc::io, fmt::format("the locks that this host had on {} were lost", file_.str()));
  };
  if (untold_) {
    TRY(ask());
  }
  for (int races = 0; races < kRacesMax; ++races) {
    if (wanted != nullptr && of_other_hosts_in_the_way_of(*wanted)) {
      if (asked || (asks == Asks::together && parts_.clock.steady() - read_at_ < kJustRead)) {
        return fail(Errc::busy, file_.str() + " is locked by another host");
      }
      TRY(ask());
      continue;
    }
    const SteadyTime sent = parts_.clock.steady();
    const auto written = write(table_with(held), context);
    if (written) {
      adopt(held, sent);
      return {};
    }
    if (written.error().code != Errc::conflict) {
      untold_ = true;  // S3 may have it
      return written;
    }
    if (races > 0) {
      parts_.clock.sleep_for(std::chrono::milliseconds(parts_.random.next() % kRacePauseMax.count()), context.cancel);
    }
    TRY(ask());
  }
  return fail(Errc::busy, file_.str() + " is being locked and unlocked by other hosts all the time");
}

Result<void> FileLease::write(LeaseTable table, const CallContext& context) {
  if (seen_ && seen_->table == table) {
    return {};
  }
  if (!table.hosts.empty()) {
    TRY_ASSIGN(seen_, write_lease(parts_.store, object_, std::move(table), seen_, context));
    return {};
  }
  if (!seen_ || seen_->table.hosts.empty()) {
    return {};
  }
  if (parts_.store.capabilities().conditional_delete == s3::Support::yes) {
    TRY(remove_lease(parts_.store, object_, *seen_, context));
    seen_.reset();
    return {};
  }
  // A removal could take what another host has written a moment before; an empty table cannot.
  TRY_ASSIGN(seen_, write_lease(parts_.store, object_, std::move(table), seen_, context));
  return {};
}

void FileLease::adopt(const HeldLocks& held, SteadyTime sent) {
  renewed_ = sent;
  tried_at_ = sent;
  untold_ = false;
  const std::lock_guard lock(mutex_);
  const bool other = held_ != held;
  held_ = held;
  if (other) {
    ++changes_;
    changed_.notify_all();
  }
}

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
    losers_.merge(owners_of(held_));
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
