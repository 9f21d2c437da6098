#include "prefixfs/locks/locks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "file_lease.h"
#include "prefixfs/base/environment.h"
#include "prefixfs/base/parallel.h"

namespace prefixfs::locks {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kPauseMax{2000};
constexpr std::size_t kRenewalThreads = 8;
constexpr const char* kHostFile = "host";

std::string new_host(Random& random) { return fmt::format("{:016x}{:016x}", random.next(), random.next()); }

}  // namespace

struct Locks::Shared {
  Shared(const Options& options, s3::ObjectStore& store, const Clock& clock, Random& random, Log& log)
      : notes(options.notes_directory.empty() ? "" : options.notes_directory + "/files", log),
        parts{.store = store, .clock = clock, .random = random, .log = log, .notes = notes, .host = new_host(random), .lease = options.lease,
              .lost = [this](const Lost& lost) { tell(lost); }} {}

  void tell(const Lost& lost) {
    const std::lock_guard lock(told_mutex);
    if (told) {
      told(lost);
    }
  }

  LeaseNotes notes;
  LeaseParts parts;
  std::optional<Result<void>> proof;  ///< whether locks can hold at all; guarded by proof_mutex_
  std::mutex told_mutex;
  std::function<void(const Lost&)> told;
};

/// A lease that an operation works with: it stays in the table until then.
class Locks::Use {
 public:
  Use(Locks& locks, std::shared_ptr<FileLease> lease) : locks_(locks), lease_(std::move(lease)) {}
  ~Use() { locks_.put_back(lease_); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  FileLease* operator->() const { return lease_.get(); }
  FileLease& operator*() const { return *lease_; }

 private:
  Locks& locks_;
  std::shared_ptr<FileLease> lease_;
};

Locks::Locks(const Options& options, s3::ObjectStore& store, const Clock& clock, Random& random, Log& log)
    : options_(options), shared_(std::make_unique<Shared>(options, store, clock, random, log)) {}
Locks::~Locks() = default;

void Locks::begin(bool goes_on) {
  if (options_.notes_directory.empty()) {
    return;
  }
  const std::string path = options_.notes_directory + "/" + kHostFile;
  const std::string before = SystemFileReader().read(path).value_or("");
  std::string& host = shared_->parts.host;
  if (goes_on && !before.empty()) {
    host = before;
  } else {
    std::ofstream(path, std::ios::trunc) << host;
  }
  for (const LeaseNote& note : shared_->notes.all()) {
    const auto lease = lease_of({.inode = 0, .key = note.file});
    if (note.held.host == host) {
      lease->take_over(note);
      const std::lock_guard lock(mutex_);
      for (const std::uint64_t inode : note.inodes) {
        by_inode_[inode] = lease;
      }
    } else {
      lease->clean_up_after(note.held.host);
    }
    put_back(lease);
  }
}

void Locks::on_lost(std::function<void(const Lost&)> told) {
  const std::lock_guard lock(shared_->told_mutex);
  shared_->told = std::move(told);
}

/// The one that the inode was locked through, whatever its name is by now; else that of the key. To be put back.
std::shared_ptr<FileLease> Locks::lease_of(const File& file) {
  const std::lock_guard lock(mutex_);
  const auto known = by_inode_.find(file.inode);
  std::shared_ptr<FileLease> lease = known != by_inode_.end() ? known->second : leases_[file.key];
  if (lease == nullptr) {
    lease = leases_[file.key] = std::make_shared<FileLease>(shared_->parts, file.key);
  }
  if (file.inode != 0) {
    by_inode_[file.inode] = lease;
  }
  ++users_[lease.get()];
  return lease;
}

std::shared_ptr<FileLease> Locks::known_lease(const File& file) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = by_inode_.find(file.inode); known != by_inode_.end()) {
    return known->second;
  }
  const auto found = leases_.find(file.key);
  return found == leases_.end() ? nullptr : found->second;
}

void Locks::put_back(const std::shared_ptr<FileLease>& lease) {
  const std::lock_guard lock(mutex_);
  const auto users = users_.find(lease.get());
  if (--users->second > 0) {
    return;
  }
  users_.erase(users);
  if (lease->holds_nothing()) {
    std::erase_if(by_inode_, [&](const auto& entry) { return entry.second == lease; });
  }
}

std::vector<std::shared_ptr<FileLease>> Locks::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<FileLease>> all;
  for (const auto& [key, lease] : leases_) {
    all.push_back(lease);
  }
  return all;
}

/// Once: locks that do not hold are worse than none.
Result<void> Locks::prove(const CallContext& context) {
  const std::lock_guard lock(proof_mutex_);
  if (!shared_->proof) {
    auto proved = prove_conditions(shared_->parts.store, shared_->parts.host, context);
    if (!proved && proved.error().code != Errc::unsupported) {
      return proved;
    }
    if (!proved) {
      shared_->parts.log.error("locks=s3: every lock fails with ENOLCK: {}", describe(proved.error()));
    }
    shared_->proof = std::move(proved);
  }
  return *shared_->proof;
}

Result<void> Locks::lock(const File& file, const Lock& wanted, Wait wait_for_it, const CallContext& context) {
  TRY(prove(context));
  const Use lease(*this, lease_of(file));
  auto done = lease->lock(file.inode, wanted, FileLease::Asks::itself, context);
  while (!done && done.error().code == Errc::busy && lease->wait_for_closing(wanted, context.cancel)) {
    done = lease->lock(file.inode, wanted, FileLease::Asks::itself, context);
  }
  const bool waits = !done && done.error().code == Errc::busy && wait_for_it == Wait::yes;
  return waits ? wait(*lease, file, wanted, context) : done;
}

Result<void> Locks::wait(FileLease& lease, const File& file, const Lock& wanted, const CallContext& context) {
  if (wanted.owner.kind == Kind::flock && lease.concerns(wanted.owner, kEverything)) {
    lease.unlock(wanted.owner, kEverything, context);  // flock(2): two who both have it shared could never make it exclusive
  }
  std::chrono::nanoseconds pause = kFirstPause;
  while (true) {
    // From half of it to one and a half, so that hosts do not ask in step.
    const auto jittered = pause / 2 + std::chrono::nanoseconds(shared_->parts.random.next() % static_cast<std::uint64_t>(pause.count()));
    if (!lease.wait_for_change(jittered, context.cancel)) {
      return fail(Errc::cancelled, "interrupted while waiting for a lock on " + file.key.str());
    }
    auto done = lease.lock(file.inode, wanted, FileLease::Asks::together, context);
    if (done || done.error().code != Errc::busy) {
      return done;
    }
    pause = std::min<std::chrono::nanoseconds>(pause * 3 / 2, kPauseMax);
  }
}

void Locks::unlock(const File& file, const Owner& owner, ByteRange range, const CallContext& context) {
  if (concerns(file, owner, range)) {
    const Use lease(*this, lease_of(file));
    lease->unlock(owner, range, context);
  }
}

void Locks::closing(const File& file, std::uint64_t handle) {
  if (const auto lease = known_lease(file)) {
    lease->closing(handle);
  }
}

void Locks::unlock_handle(const File& file, std::uint64_t handle, const CallContext& context) {
  if (concerns_handle(file, handle)) {
    const Use lease(*this, lease_of(file));
    lease->unlock_handle(handle, context);
  }
}

bool Locks::concerns(const File& file, const Owner& owner, ByteRange range) const {
  const auto lease = known_lease(file);
  return lease != nullptr && lease->concerns(owner, range);
}

bool Locks::concerns_handle(const File& file, std::uint64_t handle) const {
  const auto lease = known_lease(file);
  return lease != nullptr && lease->concerns_handle(handle);
}

bool Locks::concerns(std::uint64_t inode) const {
  const std::lock_guard lock(mutex_);
  return by_inode_.contains(inode);
}

Result<std::optional<Lock>> Locks::in_the_way_of(const File& file, const Lock& wanted, const CallContext& context) {
  TRY(prove(context));
  const Use lease(*this, lease_of(file));
  return lease->in_the_way_of(wanted, context);
}

void Locks::renew_due() {
  const auto leases = all();
  for_each_index(leases.size(), kRenewalThreads, [&](std::size_t index) { leases[index]->renew_if_due(); });
  const std::lock_guard lock(mutex_);
  std::erase_if(leases_, [&](const auto& entry) { return !users_.contains(entry.second.get()) && entry.second->is_idle(); });
}

void Locks::release_all(const CallContext& context) {
  const auto leases = all();
  for_each_index(leases.size(), kRenewalThreads, [&](std::size_t index) { leases[index]->unlock_all(context); });
}

struct Renewal::Thread {
  std::jthread thread;
};

Renewal::Renewal(Locks& locks, const Clock& clock) : thread_(std::make_unique<Thread>()) {
  thread_->thread = std::jthread([&locks, &clock](std::stop_token stop) {
    while (clock.sleep_for(locks.renewal_pause(), stop)) {
      locks.renew_due();
    }
  });
}
Renewal::~Renewal() = default;

}  // namespace prefixfs::locks
