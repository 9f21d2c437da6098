#pragma once
// What this host owes S3. An intent was acknowledged to a program when it was synced here, and stays until S3 has it or an administrator
// has decided otherwise. Format: src/meta/FORMAT.md. Hides LMDB.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/byte_range.h"
#include "prefixfs/object/etag.h"

namespace prefixfs::meta {

/// The order of acknowledgement. Greater than 0 and never given twice.
using IntentId = std::uint64_t;

enum class IntentKind : std::uint8_t {
  store = 1,         ///< a staged file becomes the object `path`
  store_marker = 2,  ///< a directory gets its marker, `path` ends with '/'
  remove = 3,        ///< the object or marker `path` goes
  move = 4,          ///< the object `source` goes to `path`, which may be the same key, and gets the attributes in `changed`
  upload = 5,        ///< a multipart upload of `path` was begun and is to be aborted by who comes later; `source` is its id, empty until S3 has told it
  move_directory = 6,  ///< all that is below `source` goes to `path`; both end with '/'
};

/// How far the rename of a directory is.
enum class DirectoryMoveStage : std::uint8_t {
  copying = 0,   ///< both may be there, and the old name counts
  removing = 1,  ///< all is at the new name, which counts
  undoing = 2,   ///< it has failed: the copies are to go
};

/// What must hold in S3 at the moment of delivery; otherwise it is a conflict.
enum class IntentGuard : std::uint8_t {
  none = 0,             ///< the last writer wins
  absent = 1,           ///< created with O_EXCL
  absent_or_newer = 2,  ///< created without asking: what somebody else has made meanwhile is overwritten, keeping its headers
  match = 3,            ///< `base` is still the version
};

/// Which of an intent's POSIX attributes are to be changed; the others stay the object's own.
struct ChangedAttributes {
  bool mode = false;
  bool uid = false;
  bool gid = false;
  bool mtime = false;
  bool atime = false;
  bool xattrs = false;  ///< all that Intent::posix names
  friend bool operator==(const ChangedAttributes&, const ChangedAttributes&) = default;
};

/// A staged file as it was when it was acknowledged.
struct StagedBytes {
  std::string name;  ///< of the file in stage/
  std::uint64_t size = 0;
  std::uint64_t base_size = 0;      ///< so many leading bytes are those of `base` where they are not dirty
  std::vector<ByteRange> valid;     ///< in order, disjoint
  std::vector<ByteRange> dirty;     ///< the part of `valid` that differs from `base`
  friend bool operator==(const StagedBytes&, const StagedBytes&) = default;
};

struct Intent {
  IntentId id = 0;
  IntentKind kind = IntentKind::store;
  InodeId inode = 0;
  std::string path;    ///< the key below the mount's root
  std::string source;  ///< the key before a move, or the id of an upload
  WallTime since{};    ///< when it was acknowledged
  IntentGuard guard = IntentGuard::none;
  ETag base;           ///< the version that is gone on from, removed or moved; empty: there was none
  PosixAttributes posix;
  NodeKind type = NodeKind::file;       ///< of what is stored or moved; no directory
  std::uint32_t rdev = 0;               ///< of a device
  ChangedAttributes changed;            ///< of a move
  std::uint64_t size = 0;               ///< of the object that is moved
  DirectoryMoveStage stage = DirectoryMoveStage::copying;  ///< of a move_directory
  bool maybe_stored = false;            ///< an answer of S3 was lost: there may be an object of this intent already
  std::optional<StagedBytes> bytes;     ///< of a store
  bool appends = false;                 ///< of a store: where another client has made a newer version, the bytes behind the base size go behind it
  bool parked = false;                  ///< S3 has refused it for good
  std::string last_error;               ///< with `parked`: why
  friend bool operator==(const Intent&, const Intent&) = default;
};

struct JournalContents {
  std::vector<Intent> intents;       ///< in order of their ids
  std::vector<std::string> damaged;  ///< a sentence for each record that could not be read; it is set aside, not deleted
};

/// What one acknowledgement changes, all or nothing.
struct JournalChange {
  std::vector<Intent> put;       ///< new ones, and new states of old ones
  std::vector<IntentId> erase;   ///< what is not there is no error
};

struct JournalStats {
  std::uint64_t changes = 0;  ///< calls of apply() since the start
  std::uint64_t commits = 0;  ///< synced transactions that these took
};

/// Thread-safe; no call waits for the network.
class Journal {
 public:
  virtual ~Journal() = default;
  /// All that is owed, for the start. A record that cannot be read is moved aside (key 'x' + its key), named in `damaged`, and does not come again.
  /// Errors: io.
  virtual Result<JournalContents> load() = 0;
  /// Errors: io, no_space, corrupt (the counter cannot be read: nothing may be acknowledged).
  virtual Result<IntentId> next_id() = 0;
  /// On the disk when it returns; callers that come while a transaction is being synced share the next one.
  /// A `last_error` of more than 4096 bytes is cut.
  /// Errors: no_space, io, invalid (an intent that load() would not take: it contradicts itself, or has an empty path); then nothing of
  /// this change is in the journal.
  virtual Result<void> apply(JournalChange change) = 0;
  virtual JournalStats stats() const = 0;
};

/// What the journal of a cache directory says, for a look from outside: nothing is changed, whether a daemon runs or not.
/// Errors: not_found (there is no journal), denied, corrupt, io.
Result<JournalContents> read_journal(const std::string& directory);

}  // namespace prefixfs::meta
