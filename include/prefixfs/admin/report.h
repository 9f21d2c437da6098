#pragma once
// What a daemon tells of its mount.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"
#include "prefixfs/meta/journal.h"

namespace prefixfs::admin {

/// What an administrator calls it ("store", "remove", ...).
std::string words_of(meta::IntentKind kind);

/// A change that was acknowledged, and that S3 does not have yet.
struct OwedChange {
  std::uint64_t id = 0;
  std::string kind;        ///< words_of() it
  std::string path;        ///< below the mount
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;  ///< below a directory that is being renamed
  std::uint64_t copied = 0;   ///< of these
  WallTime since{};
  unsigned attempts = 0;
  bool parked = false;     ///< S3 has refused it for good
  std::string last_error;
  friend bool operator==(const OwedChange&, const OwedChange&) = default;
};

struct MountState {
  std::string source;
  std::string mountpoint;
  std::string version;         ///< of the program that serves it
  std::uint64_t pid = 0;
  std::string mode;            ///< who acknowledges what, in the words of the options
  bool read_only = false;
  bool list_refused = false;   ///< the last listing was: s3:ListBucket is missing
  std::uint64_t escaped_names = 0;  ///< keys that are shown under other names, seen since the start
  std::uint64_t local_bytes = 0;    ///< in the stage and the cache
  std::uint64_t local_bytes_max = 0;
  bool ending = false;         ///< it is unmounted, and sends what is owed
  std::string breaker;         ///< why S3 counts as out of reach; empty: it answers
  WallTime breaker_since{};
  std::string outage;          ///< why nothing is delivered at the moment
  friend bool operator==(const MountState&, const MountState&) = default;
};

struct RestoreRequest {
  std::string path;  ///< below the mount
  int days = 0;
  std::string tier;
};

/// What S3 has said to a request to restore an archived file.
struct RestoreOutcome {
  enum class Kind { started, in_progress, restored, not_archived };
  Kind kind = Kind::started;
  std::optional<WallTime> until = {};  ///< of what is restored, where S3 tells it
  friend bool operator==(const RestoreOutcome&, const RestoreOutcome&) = default;
};

/// What the commands may ask of a mount. Thread-safe; nothing waits for S3 but discard() and restore(), and these for some seconds.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual MountState state() const = 0;
  virtual std::vector<OwedChange> owed() const = 0;
  virtual void retry(std::uint64_t id) = 0;
  /// The change is not delivered any more; the bytes of a file are in kept/ before it is given up.
  /// Errors: not_found (nothing of that id is owed), timeout (it is on its way), no_space, io.
  virtual Result<void> discard(std::uint64_t id) = 0;
  /// Errors: not_found, is_dir, and what S3 said.
  virtual Result<RestoreOutcome> restore(const RestoreRequest& request) = 0;
};

}  // namespace prefixfs::admin
