#pragma once
// Who holds which lock, among all hosts that mount the same prefix? How it works: src/locks/README.md.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/random.h"
#include "prefixfs/base/result.h"
#include "prefixfs/locks/lock.h"
#include "prefixfs/object/key.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::locks {

/// The directory of the mount's root in which the lease objects are. No file of a mount has a name in it.
inline constexpr std::string_view kDirectoryName = ".prefixfs-locks";

struct Options {
  std::chrono::milliseconds lease{30'000};  ///< so long a host that is not heard of keeps its locks
  std::string notes_directory;              ///< where this host notes what it holds; empty: nowhere, and nobody takes over
};

/// A file of this host. The key counts when the first lock of the inode is taken.
struct File {
  std::uint64_t inode = 0;
  Key key;
};

/// Locks of a file that were taken away from this host.
struct Lost {
  std::vector<std::uint64_t> inodes;
  bool exclusive = false;  ///< an exclusive one was among them
  std::string why;
};

class FileLease;

/// Thread-safe. Errors common to all that ask S3: unsupported (the endpoint does not honour conditions; what stands in the lease object is not ours), and those
/// of ObjectStore.
class Locks {
 public:
  /// `store`: keys below the mount's prefix. All outlive the Locks.
  Locks(const Options& options, s3::ObjectStore& store, const Clock& clock, Random& random, Log& log);
  ~Locks();  // what is held stays held: see release_all()
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  /// Before the first request. `goes_on`: another process of this mount has served before, and held what its notes say.
  void begin(bool goes_on);
  /// Called when locks are lost, by a thread of a lock call or of the renewal. Empty: nobody is told, and no call is under way any more.
  void on_lost(std::function<void(const Lost&)> told);

  enum class Wait { no, yes };
  /// Errors: busy (without `wait`: somebody else has a lock that is in the way), cancelled, io (the owner has lost what it had on this file), unsupported (also: more
  /// than kLocksMax on one file).
  Result<void> lock(const File& file, const Lock& wanted, Wait wait, const CallContext& context);
  /// What the owner has of the range, if anything. The owner is free of it in any case: where S3 does not hear it, other hosts learn it later.
  void unlock(const File& file, const Owner& owner, ByteRange range, const CallContext& context);
  /// A descriptor of an open file goes, and perhaps the open file with it: whoever is told now that it is in the way would be told a wrong thing a moment later.
  void closing(const File& file, std::uint64_t handle);
  /// The open file is gone, and what was locked through it: flock's locks, and those of F_OFD_SETLK.
  void unlock_handle(const File& file, std::uint64_t handle, const CallContext& context);
  /// Whether unlock() would have something to do; asks nobody.
  bool concerns(const File& file, const Owner& owner, ByteRange range) const;
  bool concerns_handle(const File& file, std::uint64_t handle) const;
  bool concerns(std::uint64_t inode) const;
  /// A lock that is in the way of `wanted`.
  Result<std::optional<Lock>> in_the_way_of(const File& file, const Lock& wanted, const CallContext& context);

  /// Tells S3 that this host is there, for each lease that is due; takes up what could not be told before.
  void renew_due();
  /// So often that is to be called.
  std::chrono::nanoseconds renewal_pause() const { return options_.lease / 12; }
  /// The end of the mount: nothing is held any more.
  void release_all(const CallContext& context);

  static constexpr std::size_t kLocksMax = 1000;

 private:
  class Use;
  struct Shared;

  std::shared_ptr<FileLease> lease_of(const File& file);
  std::shared_ptr<FileLease> known_lease(const File& file) const;
  void put_back(const std::shared_ptr<FileLease>& lease);
  std::vector<std::shared_ptr<FileLease>> all() const;
  Result<void> prove(const CallContext& context);
  Result<void> wait(FileLease& lease, const File& file, const Lock& wanted, const CallContext& context);

  const Options options_;
  const std::unique_ptr<Shared> shared_;
  std::mutex proof_mutex_;  ///< held while the endpoint is asked; before all others
  mutable std::mutex mutex_;  ///< guards all below; only what a lease knows is asked with it held
  std::map<Key, std::shared_ptr<FileLease>> leases_;
  std::map<std::uint64_t, std::shared_ptr<FileLease>> by_inode_;
  std::map<const FileLease*, unsigned> users_;
};

/// Calls renew_due() again and again, from a thread of its own.
class Renewal {
 public:
  Renewal(Locks& locks, const Clock& clock);
  ~Renewal();

 private:
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace prefixfs::locks
