#pragma once
// The locks of one file: what programs of this host hold of it, and what stands in its lease object.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "lease_notes.h"
#include "lease_object.h"
#include "prefixfs/base/random.h"
#include "prefixfs/locks/locks.h"

namespace prefixfs::locks {

/// What the leases of all files have in common; outlives them.
struct LeaseParts {
  s3::ObjectStore& store;
  const Clock& clock;
  Random& random;
  Log& log;
  LeaseNotes& notes;
  std::string host;
  const std::chrono::milliseconds lease;
  const std::function<void(const Lost&)> lost;
};

/// Thread-safe. One exchange with S3 at a time.
class FileLease {
 public:
  FileLease(const LeaseParts& parts, Key file);

  const Key& file() const { return file_; }

  /// What another one who waits for the file has been told a moment ago is enough for the next, and S3 is asked once for all.
  enum class Asks { itself, together };
  /// One attempt; see Locks::lock(). `inode`: through which file it is locked.
  Result<void> lock(std::uint64_t inode, const Lock& wanted, Asks asks, const CallContext& context);
  void unlock(const Owner& owner, ByteRange range, const CallContext& context);
  void unlock_all(const CallContext& context);
  void closing(std::uint64_t handle);
  void unlock_handle(std::uint64_t handle, const CallContext& context);
  Result<std::optional<Lock>> in_the_way_of(const Lock& wanted, const CallContext& context);
  /// Whether the owner has something of the range, or has lost it and was not told to forget it.
  bool concerns(const Owner& owner, ByteRange range) const;
  bool concerns_handle(std::uint64_t handle) const;
  bool holds_nothing() const;
  std::vector<std::uint64_t> inodes() const;

  /// Until something changes here, or `pause` is over, which is when S3 is to be asked again. False: `stop` came first.
  bool wait_for_change(std::chrono::nanoseconds pause, const std::stop_token& stop);

  /// Whether what is in the way goes with an open file that is being closed; then after it has changed, or a moment.
  bool wait_for_closing(const Lock& wanted, const std::stop_token& stop);

  /// Goes on with what a former worker of this mount has held.
  void take_over(const LeaseNote& note);
  /// A mount that was killed has left locks there: they go once they have expired.
  void clean_up_after(const std::string& host);
  /// A beat, where one is due, and whatever S3 has not been told.
  void renew_if_due();
  /// Whether nobody would miss it.
  bool is_idle() const;

 private:
  SteadyTime lost_at() const { return renewed_ + parts_.lease; }

  // All of these with exchange_mutex_ held.
  Result<void> lock_once(std::uint64_t inode, const Lock& wanted, Asks asks, const CallContext& context);
  Result<void> check(const Owner& owner) const;
  Result<void> confirm(const CallContext& context);
  Result<void> read(const CallContext& context);
  void watch();
  bool expired(const HostEntry& entry) const;
  std::optional<Lock> of_other_hosts_in_the_way_of(const Lock& wanted) const;
  LeaseTable table_with(const HeldLocks& held);
  Result<void> publish(const HeldLocks& held, const Lock* wanted, const CallContext& context, Asks asks = Asks::itself);
  Result<void> write(LeaseTable table, const CallContext& context);
  void adopt(const HeldLocks& held, SteadyTime sent);
  void lose(const std::string& why);
  void lose_if_late();
  void unlock_to(const HeldLocks& left, const CallContext& context);
  void note();

  const LeaseParts& parts_;
  const Key file_;
  const Key object_;

  /// Held over the network. What it guards is what is known of the lease object.
  std::mutex exchange_mutex_;
  std::optional<Seen> seen_;       ///< the version that was seen last; nothing: there was none
  SteadyTime read_at_{};           ///< when S3 was asked last
  SteadyTime renewed_{};           ///< when the last write that S3 has taken was sent
  SteadyTime tried_at_{};          ///< when a beat was tried last
  bool unconfirmed_ = false;       ///< taken over, and S3 was not asked yet
  bool untold_ = false;            ///< S3 may have more of this host than it holds
  std::uint64_t losses_ = 0;       ///< how often all that this host held was lost
  bool giving_up_ = false;         ///< an unlock is under way: that nothing is there any more may be its own work
  std::string abandoned_;          ///< the host of a killed mount
  struct Watched {
    std::string beat;
    SteadyTime since;
  };
  std::map<std::string, Watched> watched_;  ///< since when another host's beat is the same

  mutable std::mutex mutex_;       ///< guards all below; nothing is called with it held
  std::condition_variable_any changed_;
  HeldLocks held_;
  std::set<std::uint64_t> inodes_;
  std::map<Owner, std::uint64_t> losers_;  ///< owners whose locks were lost, and the open file of one of them
  std::map<std::uint64_t, SteadyTime> closing_;  ///< open files with locks: when a descriptor went; kReleased: the last one has gone
  static constexpr SteadyTime kReleased = SteadyTime::max();
  std::uint64_t changes_ = 0;
  SteadyTime used_{};
};

}  // namespace prefixfs::locks
