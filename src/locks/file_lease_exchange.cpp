// What S3 is asked and told.

#include "file_lease.h"

#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::locks {
namespace {

// See Asks::together: half of the shortest pause.
constexpr std::chrono::milliseconds kJustRead{25};
constexpr int kRacesMax = 20;
constexpr std::chrono::milliseconds kRacePauseMax{50};

}  // namespace

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

}  // namespace prefixfs::locks
