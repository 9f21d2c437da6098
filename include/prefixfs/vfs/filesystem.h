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

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/result.h"
#include "prefixfs/base/worker_pool.h"
#include "prefixfs/meta/node_cache.h"
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
  bool immutable = false;          ///< objects never change: a known file is never asked for again
  bool list_known_names = false;   ///< without s3:ListBucket: readdir shows the names that this host knows, instead of EACCES
  bool read_only = false;
  MetadataDialect dialect = MetadataDialect::aws;
  std::uint32_t uid = 0;           ///< owner of what says nothing of its owner
  std::uint32_t gid = 0;
  std::uint32_t file_mode = 0644;
  std::uint32_t directory_mode = 0755;
  std::optional<std::uint64_t> max_file_bytes;
  std::size_t key_bytes_max = kKeyBytesMax;  ///< what the mount's prefix leaves of the 1024
  std::uint64_t cache_bytes_max = 1ULL << 30;
  std::size_t cached_files_max = 4096;
  std::uint64_t first_block_bytes = 128 << 10;  ///< fetched together with the attributes
  std::uint64_t read_part_bytes = 8 << 20;      ///< one ranged GET of read-ahead
  std::size_t read_parts_ahead = 6;
};

/// What the file system works on; all of it outlives the Filesystem.
struct Surroundings {
  s3::ObjectStore& store;       ///< keys relative to the mount's root
  meta::NodeCache& nodes;
  stage::StageDirectory& stage;
  sync::Uploader& uploader;
  WorkerPool& fetchers;         ///< threads for read-ahead
  const Processes& processes;
  const Clock& clock;
  Log& log;
};

/// Who asks, and how long it may take.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  pid_t thread = 0;  ///< 0: not known
  CallContext context;
};

struct Attributes {
  InodeId id = 0;
  NodeKind kind = NodeKind::file;
  std::uint64_t size = 0;
  PosixAttributes posix;
  std::int64_t ctime_ns = 0;
  std::uint32_t links = 1;
};

struct Entry {
  Attributes attributes;
  std::chrono::nanoseconds valid_for{};  ///< how long the kernel may keep name and attributes
  bool exact = true;                     ///< false: mode, owner and mtime are defaults, and the kernel should ask when they are wanted
};

struct Opened {
  HandleId handle = 0;
  bool keep_cache = false;  ///< the version is the one whose pages the kernel may still have
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

  Result<Opened> open(InodeId id, int flags, const Caller& caller);
  Result<Created> create(InodeId parent, std::string_view name, std::uint32_t mode, int flags, const Caller& caller);
  Result<std::size_t> read(HandleId handle, std::uint64_t offset, std::span<std::byte> out, const Caller& caller);
  /// Without `offset`: at the end, wherever that is by now.
  Result<std::size_t> write(HandleId handle, std::optional<std::uint64_t> offset, std::span<const std::byte> data, const Caller& caller);
  /// close(2) of one descriptor. When it returns success, the object is in S3. Two closes are not the end of the file, and store nothing: that of a
  /// process which has neither opened nor written it while one that has still has it open (every fork closes copies of its parent's descriptors),
  /// and that of an empty new file which the same process has open a second time (a shell opens the target of `> file`, duplicates the
  /// descriptor and closes the first).
  Result<void> flush(HandleId handle, const Caller& caller);
  Result<void> fsync(HandleId handle, const Caller& caller);
  /// The last descriptor is gone. Never fails: what could not be stored has been told by flush.
  void release(HandleId handle);

  Result<void> unlink(InodeId parent, std::string_view name, const Caller& caller);
  Result<Entry> mkdir(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller);
  Result<void> rmdir(InodeId parent, std::string_view name, const Caller& caller);
  /// `flags` of renameat2(2): 0 or RENAME_NOREPLACE. Directories: Errc::cross_device.
  Result<void> rename(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name, unsigned flags,
                      const Caller& caller);

  Result<HandleId> opendir(InodeId id, const Caller& caller);
  /// Gives the entries after `position` (0: from the beginning, with a listing no older than the freshness window).
  Result<void> readdir(HandleId handle, std::uint64_t position, const EntrySink& sink, const Caller& caller);
  void releasedir(HandleId handle);

  FilesystemStats statfs() const;

  /// Stores what is changed and still open; for the end of the mount. Errors are logged, the bytes kept.
  void flush_all(const CallContext& context);

  /// Asks S3 whether bucket, prefix and credentials work, and learns whether listing is allowed.
  Result<void> probe(const CallContext& context);

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace prefixfs::vfs
