#pragma once
// The meaning of POSIX file operations on the objects below a prefix: no kernel, no HTTP, no LMDB types.
// What is promised stands in src/vfs/SEMANTICS.md; how it is built in src/vfs/README.md.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/random.h"
#include "prefixfs/base/result.h"
#include "prefixfs/base/worker_pool.h"
#include "prefixfs/locks/locks.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/s3/breaker.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/sync/file_upload.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/processes.h"

namespace prefixfs::vfs {

using meta::InodeId;
using meta::NodeKind;
using meta::PosixAttributes;
using HandleId = std::uint64_t;

/// Which dialect of user metadata is written; all known ones are read (src/vfs/attributes.h).
enum class MetadataDialect { aws, s3fs, off };

struct Settings {
  std::chrono::nanoseconds freshness = std::chrono::seconds(1);  ///< how long an answer of S3 is believed without asking again
  bool immutable = false;          ///< objects never change: what is known is never asked for again; new names are found
  bool exclusive_at_open = false;  ///< open() with O_EXCL asks S3 before it returns, otherwise the first commit does
  bool list_known_names = false;   ///< without s3:ListBucket: readdir shows the names that this host knows, instead of EACCES
  bool list_exactly = false;       ///< readdir asks S3 for the attributes of each version that this host has not seen alone
  bool read_only = false;
  bool journal_commits = false;    ///< close() and fsync() are acknowledged by the synced journal, and delivered afterwards
  bool journal_removals = false;   ///< the same for unlink()
  bool queue_in_outage = false;    ///< the same for all of them while S3 does not answer, once a call has waited for it in vain
  bool keep_acls = false;          ///< what is written again or copied gets the grants that it had, for one request more
  MetadataDialect dialect = MetadataDialect::aws;
  std::chrono::nanoseconds removal_linger{};    ///< so long removals wait for others that go with them in one request
  std::chrono::nanoseconds temporary_linger{};  ///< so long a file with the name of a temporary one waits for its rename
  std::uint32_t uid = 0;           ///< owner of what says nothing of its owner
  std::uint32_t gid = 0;
  std::uint32_t file_mode = 0644;
  std::uint32_t directory_mode = 0755;
  std::optional<std::uint64_t> max_file_bytes;
  std::uint64_t shown_bytes = 1ULL << 50;  ///< an object store has no size, but programs that look for free space must find some
  std::size_t key_bytes_max = kKeyBytesMax;  ///< what the mount's prefix leaves of the 1024
  std::uint64_t cache_bytes_max = 1ULL << 30;
  std::size_t cached_files_max = 4096;
  std::uint64_t first_block_bytes = 128 << 10;  ///< fetched together with the attributes
  std::uint64_t read_part_bytes = 8 << 20;      ///< one ranged GET of read-ahead
  std::size_t read_parts_ahead = 6;
  std::size_t files_ahead_max = 64;  ///< so many files of a directory are fetched before they are opened, where programs read them in order
};

/// What the file system works on; all of it outlives the Filesystem.
struct Surroundings {
  s3::ObjectStore& store;       ///< keys relative to the mount's root
  s3::ObjectStore& probed;      ///< the same, also while the breaker is open: for probe(), which finds out whether S3 is back
  const s3::Breaker& breaker;
  meta::NodeCache& nodes;
  meta::Journal& journal;
  stage::StageDirectory& stage;
  sync::Uploader& uploader;
  WorkerPool& fetchers;         ///< threads for read-ahead
  const Processes& processes;
  const Clock& clock;
  Random& random;
  Log& log;
  locks::Locks* locks = nullptr;  ///< null: locks are the kernel's, and hold on this host
};

/// What was acknowledged from the journal, and S3 does not have yet.
struct OwedIntent {
  meta::IntentId id = 0;
  meta::IntentKind kind = meta::IntentKind::store;
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;    ///< below a directory that is being renamed
  std::uint64_t copied = 0;     ///< of these
  WallTime since{};             ///< when it was acknowledged
  unsigned attempts = 0;
  bool parked = false;          ///< S3 has refused it for good
  std::optional<Error> last_error;
};

enum class FileState {
  clean,     ///< S3 has it, as far as this mount knows
  open,      ///< a program writes to it, or it is changed and not closed
  owed,      ///< acknowledged, and on its way to S3
  parked,    ///< S3 has refused it for good: it waits for an administrator
  conflict,  ///< another client was first: what was written here is kept aside
};

struct FileCondition {
  FileState state = FileState::clean;
  std::optional<Error> last_error;
};

/// Who asks, and how long it may take.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  pid_t thread = 0;  ///< 0: not known
  std::uint64_t request = 0;  ///< the kernel's number of it; 0: none
  bool resent = false;        ///< a former process may have done it without answering
  bool kills_set_id = false;  ///< without CAP_FSETID: what it writes to or cuts loses the set-id bits
  CallContext context;
};

struct Attributes {
  InodeId id = 0;
  NodeKind kind = NodeKind::file;
  std::uint64_t size = 0;
  std::uint32_t rdev = 0;
  PosixAttributes posix;
  std::int64_t ctime_ns = 0;
  std::uint32_t links = 1;
};

struct Entry {
  Attributes attributes;
  std::chrono::nanoseconds valid_for{};  ///< how long the kernel may keep name and attributes
  bool exact = true;                     ///< false: the kernel should ask for the attributes whenever they are wanted
};

struct Opened {
  HandleId handle = 0;
  bool keep_cache = false;     ///< the version is the one whose pages the kernel may still have
  bool first_exact = false;    ///< mode, owner and mtime are exact; the kernel may have been told what a listing says
};

struct Created {
  Entry entry;
  Opened opened;
};

struct SetAttributes {
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<std::int64_t> mtime_ns;
  std::optional<std::int64_t> atime_ns = {};
  meta::Xattrs xattrs = {};
  bool drops_set_id = false;  ///< of what is no directory; a mode that is set with it counts more
};

/// A name that is whole when it is made.
struct NewNode {
  NodeKind kind = NodeKind::file;  ///< no directory
  std::uint32_t mode = 0;
  std::uint32_t rdev = 0;          ///< of a device
  std::string_view target = {};    ///< of a symlink
};

/// One name of a directory. `position` is what a later readdir continues from.
struct DirectoryEntry {
  std::string name;
  std::uint64_t position = 0;
  Entry entry;
};
/// Takes an entry; false when there is no more room: the entry counts as not given.
using EntrySink = std::function<bool(const DirectoryEntry&)>;

struct FilesystemStats {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t local_bytes = 0;  ///< in the stage and the cache of this host
};

/// What another process must know of an open file to open it again.
struct OpenState {
  ETag version;           ///< what is read through its handles; empty: S3 has nothing of it yet
  bool unstored = false;  ///< it is unlinked, or there are bytes or attributes which S3 does not have, or will not take
  bool owed = false;      ///< the journal has what follows `version`: its delivery makes another one, which the same handles go on with
};

/// A file that a former process of the same mount had open.
struct OpenBefore {
  HandleId handle = 0;
  InodeId inode = 0;
  int flags = 0;
  OpenState state;
  bool dead = false;  ///< reopen() has failed in a process before
};

/// All methods are thread-safe and block until done. Errors are Errc values whose errno is in src/fuse/errno.cpp.
/// `flags` are those of open(2).
class Filesystem {
 public:
  Filesystem(const Settings& settings, const Surroundings& surroundings);
  ~Filesystem();
  Filesystem(const Filesystem&) = delete;
  Filesystem& operator=(const Filesystem&) = delete;

  Result<Entry> lookup(InodeId parent, std::string_view name, const Caller& caller);
  Result<Entry> getattr(InodeId id, const Caller& caller);
  /// `handle`: the open file that ftruncate, fchmod, ... came through.
  Result<Entry> setattr(InodeId id, std::optional<HandleId> handle, const SetAttributes& changes, const Caller& caller);

  /// getxattr(2) of `user.NAME`. Errors: no_attribute, unsupported (without metadata).
  Result<std::string> xattr(InodeId id, std::string_view name, const Caller& caller);
  /// listxattr(2), without "user.". Asks S3 as getattr() does: of what was only listed nothing is known.
  Result<std::vector<std::string>> xattr_names(InodeId id, const Caller& caller);
  enum class XattrMust { exist_or_not, be_new, be_there };
  /// setxattr(2), and without a value removexattr(2). Stored as a change of mode is. Errors: exists, no_attribute, no_space (S3 takes 2 KiB of user metadata),
  /// unsupported (without metadata).
  Result<void> set_xattr(InodeId id, std::string_view name, std::optional<std::string_view> value, XattrMust must, const Caller& caller);
  /// What S3 says of the object: etag, version-id, storage-class, last-modified, content-type, content-encoding, content-disposition, content-language,
  /// cache-control, expires, server-side-encryption, kms-key-id, restore. Errors: no_attribute.
  Result<std::string> object_field(InodeId id, std::string_view name, const Caller& caller);

  /// Errors: stale (the name has another version now, or none: whoever opens it is to look it up again).
  Result<Opened> open(InodeId id, int flags, const Caller& caller);
  Result<Created> create(InodeId parent, std::string_view name, std::uint32_t mode, int flags, const Caller& caller);
  /// symlink(2) and mknod(2). Acknowledged as the close(2) of an empty file is; exclusive between hosts, but not what is acknowledged in an outage.
  /// Errors: exists, name_too_long (also of a target), not_permitted (without metadata only regular files can be made).
  Result<Entry> make_node(InodeId parent, std::string_view name, const NewNode& made, const Caller& caller);
  /// Errors: invalid (it is no symlink), stale (the name is something else now).
  Result<std::string> readlink(InodeId id, const Caller& caller);
  Result<std::size_t> read(HandleId handle, std::uint64_t offset, std::span<std::byte> out, const Caller& caller);
  /// Without `offset`: at the end, wherever that is by now.
  Result<std::size_t> write(HandleId handle, std::optional<std::uint64_t> offset, std::span<const std::byte> data, const Caller& caller);
  /// fallocate(2) with its `mode`: 0, or of KEEP_SIZE, PUNCH_HOLE (with KEEP_SIZE) and ZERO_RANGE. What becomes zeros is stored by the next commit, as what
  /// is written. Errors besides those of write(): unsupported (another mode).
  Result<void> allocate(HandleId handle, int mode, std::uint64_t offset, std::uint64_t length, const Caller& caller);
  /// lseek(2) with SEEK_DATA or SEEK_HOLE. What S3 has is data. Errors: past_end, invalid (another `whence`), stale.
  Result<std::uint64_t> seek(HandleId handle, std::uint64_t offset, int whence, const Caller& caller);
  struct Stretch {
    HandleId handle = 0;
    std::uint64_t offset = 0;
  };
  /// copy_file_range(2), where one copy within S3 does it: all of a file that is stored, into one that is empty and not stored. S3 has the copy when
  /// it returns. Gives back the bytes copied; nothing: the caller is to read and write, and will be told why if that cannot be done either.
  Result<std::optional<std::uint64_t>> copy_range(const Stretch& from, const Stretch& to, std::uint64_t length, const Caller& caller);
  /// close(2) of one descriptor. When it returns success, the object is in S3. Two closes are not the end of the file, and store nothing: that of a
  /// process which has neither opened nor written it while one that has still has it open (every fork closes copies of its parent's descriptors),
  /// and that of an empty new file which the same process has open a second time (a shell opens the target of `> file`, duplicates the
  /// descriptor and closes the first).
  Result<void> flush(HandleId handle, const Caller& caller);
  Result<void> fsync(HandleId handle, const Caller& caller);
  /// The last descriptor is gone. Never fails: what could not be stored has been told by flush.
  void release(HandleId handle);

  /// Whether locks are asked for here; otherwise none of the calls about them is made.
  bool shares_locks() const;
  /// fcntl(2) with F_SETLK (or F_SETLKW) and flock(2), unless they unlock. What is read and opened afterwards is as S3 has it then.
  /// Errors: busy (without `wait`: somebody has a lock that is in the way), unsupported (the endpoint cannot keep locks), cancelled, io (a former lock of this owner
  /// was lost).
  Result<void> lock(HandleId handle, const locks::Lock& wanted, locks::Locks::Wait wait, const Caller& caller);
  /// What the owner has locked of that range, if anything; by a call, a close or the end of the program. Returns when S3 has what this mount had acknowledged.
  /// With an error, too, it is unlocked.
  Result<void> unlock(HandleId handle, const locks::Owner& owner, ByteRange range, const Caller& caller);
  /// A descriptor of the open file goes, and perhaps the open file.
  void closing(HandleId handle);
  /// The open file is gone: the same as unlock() for all that was locked through it.
  Result<void> unlock_released(HandleId handle, const Caller& caller);
  /// F_GETLK: a lock that is in the way of `wanted`.
  Result<std::optional<locks::Lock>> lock_in_the_way(HandleId handle, const locks::Lock& wanted, const Caller& caller);

  Result<void> unlink(InodeId parent, std::string_view name, const Caller& caller);
  Result<Entry> mkdir(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller);
  Result<void> rmdir(InodeId parent, std::string_view name, const Caller& caller);
  /// `flags` of renameat2(2): 0 or RENAME_NOREPLACE. A directory: returns when S3 has each object below it under its new key. Errors besides the usual
  /// of rename(2): cross_device (a directory where listing is not allowed, so that nobody knows what is in it: mv copies then), unsupported (a directory of
  /// more than 250,000 objects).
  Result<void> rename(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name, unsigned flags,
                      const Caller& caller);

  /// Errors: stale (its mode or owner is not what a listing has shown).
  Result<HandleId> opendir(InodeId id, const Caller& caller);
  /// Gives the entries after `position` (0: from the beginning, with a listing no older than the freshness window).
  Result<void> readdir(HandleId handle, std::uint64_t position, const EntrySink& sink, const Caller& caller);
  void releasedir(HandleId handle);
  /// fsync(2) of a directory: until S3 has what was acknowledged of it before the call. Errors: unavailable (while S3 does not answer), that of a
  /// change which S3 has refused.
  Result<void> fsyncdir(InodeId id, const Caller& caller);

  /// The numbers of new handles begin there, so that those of a former process of the same mount are not given again. Before the first request.
  void number_handles_from(HandleId first);
  /// What is behind the handles of this inode; nothing: it is not open.
  std::optional<OpenState> open_state(InodeId id) const;
  /// From now on `told` is called when something that was owed of an open file has been delivered or given up, after which open_state() may be
  /// another one; by a thread of the deliveries. Empty: nobody is told, and no call is under way any more.
  void on_settled(std::function<void(InodeId)> told);
  /// Opens what a former process had open, under its old number and without asking S3: the version is as it was, or the handle is dead.
  /// Errors: stale (another version is there), io (what was not stored is lost). Afterwards reads through the handle say stale, and writes, fsync
  /// and close this error.
  Result<void> reopen(const OpenBefore& before);
  void reopen_directory(HandleId handle, InodeId id);
  /// All that was open is open again: what else a former process has left unstored was closed by nobody and is gone.
  void end_reopening();

  FilesystemStats statfs() const;

  /// Stores what is changed and still open; for the end of the mount. Errors are logged, the bytes kept.
  void flush_all(const CallContext& context);

  /// Takes up what a former process has acknowledged and not delivered. Once, before any other call. Errors: those of the journal and the stage.
  Result<void> recover();
  std::vector<OwedIntent> owed() const;
  /// Until nothing is owed but what is parked. Errors: timeout, cancelled, that of a parked intent; without `through_outage` also why S3
  /// cannot be reached.
  Result<void> drain(bool through_outage, const CallContext& context);
  /// S3 is said to answer again: what is owed need not wait for the end of its pause.
  void resume();
  /// Tries again what is parked, or waits for S3 to answer; nothing: all of it.
  void retry(std::optional<meta::IntentId> intent);
  /// Why nothing is delivered at the moment.
  std::optional<Error> outage() const;
  /// Gives up what is owed of that intent's file, or its removal. The bytes are in kept/ before; programs that still have the file open are told
  /// stale. Errors: not_found (nothing of it is owed), timeout (it is on its way), no_space, io.
  Result<void> discard(meta::IntentId intent, const CallContext& context);
  struct Restored {
    s3::RestoreState state = s3::RestoreState::started;
    std::optional<WallTime> until = {};  ///< of what is restored, where S3 tells it
  };
  /// Asks S3 to make an archived file readable; `path` is below the mount. Errors: not_found, is_dir, and what S3 said.
  Result<Restored> restore(std::string_view path, s3::RestoreOptions options, const CallContext& context);
  /// Whether S3 has refused the last listing.
  bool list_was_refused() const;
  /// Keys seen since the start that cannot be file names, and are shown under others (object/shown_name.h); counted up to 10,000.
  std::uint64_t escaped_names() const;
  /// What this mount knows of a file, without asking S3.
  FileCondition condition(InodeId id) const;

  /// Asks S3 whether bucket, prefix and credentials work, and learns whether listing is allowed.
  Result<void> probe(const CallContext& context);

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace prefixfs::vfs
