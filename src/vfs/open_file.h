#pragma once
// What is known of an inode while programs have it open.

#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "content.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/sync/file_upload.h"
#include "prefixfs/vfs/filesystem.h"
#include "readahead.h"

namespace prefixfs::vfs {

/// A state of a file that was acknowledged from the journal, and that S3 does not have yet. Nobody writes to its bytes any more: who changes the
/// file goes on with a clone (OpenFile::own_content_locked).
struct Owed {
  meta::IntentId intent = 0;
  Key key;                                   ///< under which S3 is to get it
  std::shared_ptr<Content> content;
  std::unique_ptr<sync::FileUpload> upload;  ///< parts that were sent while the program wrote; used by the delivery alone
  PosixAttributes posix;
  std::uint64_t emptied = 0;      ///< what OpenFile::emptied was
  bool appends = false;           ///< what OpenFile::appends was
  WallTime since{};
  std::atomic<bool> maybe_stored{false};  ///< an answer of S3 to it was lost
  std::stop_source given_up;      ///< the name is renamed or unlinked: its delivery ends
};

/// A rename of a stored file, or a change of its attributes, or both, that was acknowledged from the journal: S3 is owed a copy, and the removal of
/// what was copied.
struct OwedMove {
  meta::IntentId intent = 0;
  Key source;
  InodeId source_parent = 0;  ///< the name of `source`, which is absent here
  std::string source_name;
  Key path;                   ///< `source` itself, where only attributes change
  SetAttributes changes;      ///< no size
  std::uint64_t size = 0;     ///< of the object
  bool no_replace = false;
  bool replaces = false;      ///< S3 may have an object under `path`
  bool attempted = false;     ///< a request has gone out, perhaps from a former process
  bool copied = false;        ///< S3 has answered: the removal of the source is left
  ETag version;               ///< with `copied`: of the source
  WallTime since{};
  bool renames() const { return source != path; }
  bool changes_attributes() const { return changes.mode || changes.uid || changes.gid || changes.mtime_ns || changes.atime_ns || !changes.xattrs.empty(); }
};

/// Lives from the first open to the last release, and as long as something of it is owed to S3.
/// Lock order: commit_mutex, then mutex, then Content::mutex.
struct OpenFile : std::enable_shared_from_this<OpenFile> {
  explicit OpenFile(meta::Node seen) : node(std::move(seen)) {}

  /// One commit at a time. The only lock that is held over network calls, and it is this file's own.
  std::mutex commit_mutex;
  /// Held while a record of it is made and synced, so that the journal's order is that of the states. After commit_mutex, before mutex.
  std::mutex record_mutex;

  mutable std::mutex mutex;           ///< guards all below
  meta::Node node;                    ///< name, parent and attributes as this mount sees them
  std::shared_ptr<Content> content;   ///< null until somebody reads or writes
  std::shared_ptr<Owed> owed;         ///< the newest state that only the journal has; null: S3 has all that was acknowledged
  std::vector<std::shared_ptr<OwedMove>> moves;  ///< that only the journal has, oldest first
  std::vector<meta::IntentId> intents;  ///< of it in the journal, oldest first: `owed`, a former state that is being delivered, `moves`
  std::unique_ptr<sync::FileUpload> upload;  ///< made by the first write; used under commit_mutex, or under mutex by wrote()
  bool exclusive = false;             ///< created with O_EXCL and not stored yet: the first PUT must not find the name taken
  bool presumed_new = false;          ///< created without asking S3 for the name: the first PUT finds out whether somebody else has made it
  bool overwrites = false;            ///< created or truncated here and not stored since: the last writer wins
  bool unstored = false;              ///< S3 has nothing under this name, and must get it even if it is empty
  bool attributes_changed = false;    ///< to be stored by the next commit
  bool explicit_mtime = false;        ///< set by utimens since the last write
  bool unlinked = false;              ///< the name is gone; nothing is ever stored again
  bool stale = false;                 ///< S3 no longer has the version of `content`
  std::optional<Error> failed;        ///< what every later write, fsync and close is told
  bool told = false;                  ///< the last commit failed, and its caller knows
  bool maybe_stored = false;          ///< there may be an object though `node` has no ETag: a commit has ended without S3's answer, or it was
                                      ///< renamed over one before it was stored
  bool appends = true;                ///< what was written since the version that S3 has, was written with O_APPEND
  std::uint64_t emptied = 0;          ///< how often it was cut to nothing
  std::uint64_t sequential_end = 0;   ///< a new file is written without gaps up to here
  std::vector<pid_t> users;           ///< processes that have opened it for writing, or have written to it
  static constexpr std::size_t kUsersMax = 64;  ///< beyond it the oldest is forgotten: a close more than needed stores the file
  unsigned handles = 0;
  unsigned writers = 0;
  std::atomic<bool> doubted{false};   ///< locked since S3 was asked last: see Core::see_newest(). Read without the mutex

  /// New, not stored, and nobody has written to it yet.
  bool untouched_locked() const {
    return unstored && owed == nullptr && node.local && !failed && !unlinked && content != nullptr && content->file->change_count() == 0;
  }
  /// Its bytes have changed: both times are now.
  void modified_locked(WallTime now);
  /// Whether that is news.
  bool used_by_locked(pid_t process);
  /// Something has come since the last commit, and nobody has been told that it cannot be stored.
  bool owes_commit_locked() const { return !failed && !told && needs_commit_locked(); }
  bool needs_commit_locked() const { return !unlinked && (unstored || attributes_changed || content_changed_locked()); }
  /// Neither S3 nor the journal has all of it: a crash leaves what is known of it to open_note.
  bool unrecorded_locked() const { return needs_commit_locked() || (owed != nullptr && !owed_is_recorded_locked()); }
  /// The journal has the record of `owed`: it is made, and neither delivered nor void.
  bool owed_is_recorded_locked() const { return owed != nullptr && std::ranges::find(intents, owed->intent) != intents.end(); }
  /// Programs have changed its bytes since they were acknowledged.
  bool content_changed_locked() const {
    return content != nullptr && content->file->changed() && (owed == nullptr || owed->content != content);
  }
  /// It is being written here, or what was written is owed.
  bool written_locked() const { return writers > 0 || owed != nullptr || needs_commit_locked(); }
  /// This mount's own state comes before what S3 says.
  bool leads_locked() const { return written_locked() || !moves.empty(); }
  /// Where S3 has the version `node.etag`, if that is not under the file's name yet.
  std::optional<Key> object_key_locked() const {
    return moves.empty() ? std::nullopt : std::optional(moves.front()->copied ? moves.front()->path : moves.front()->source);
  }
};

struct FileHandle {
  std::shared_ptr<OpenFile> file;
  int flags = 0;
  std::atomic<pid_t> last_writer;  ///< the thread
  std::mutex mutex;       ///< guards `readahead`
  ReadAhead readahead;

  FileHandle(std::shared_ptr<OpenFile> opened, int open_flags, ReadAhead planner, pid_t writer)
      : file(std::move(opened)), flags(open_flags), last_writer(writer), readahead(planner) {}
  bool writable() const;
};

/// Open inodes and handles by their numbers. Thread-safe.
class OpenFiles {
 public:
  /// The open file of this inode, or null.
  std::shared_ptr<OpenFile> find(InodeId id) const;
  std::vector<std::shared_ptr<OpenFile>> all() const;
  /// Grows whenever a file leaves the table: what was read of the records before may be older than its last commit.
  std::uint64_t closed() const { return closed_.load(); }
  /// The open file of this inode (made from `node` if it is not open) with one more handle.
  std::shared_ptr<OpenFile> acquire(const meta::Node& node, bool writer);
  /// The same with no handle, for what a former process has acknowledged.
  std::shared_ptr<OpenFile> restore(const meta::Node& node);
  /// `writer`: the thread whose process the file knows already as a user; 0: none.
  HandleId add_handle(std::shared_ptr<OpenFile> file, int flags, const ReadAhead& planner, pid_t writer = 0);
  /// The same under the number that it had in a former process.
  void restore_handle(HandleId id, std::shared_ptr<OpenFile> file, int flags, const ReadAhead& planner);
  void number_from(HandleId first);
  std::shared_ptr<FileHandle> handle(HandleId id) const;
  enum class Released { file_still_open, file_gone, owes_commit };
  /// Forgets the handle, and with the last handle the file. A file that owes a commit keeps its last handle: the caller commits, and asks again.
  Released release(HandleId id);
  /// The same for an acquire() that is not to become a handle.
  Released let_go(const std::shared_ptr<OpenFile>& file);
  /// The same after the last thing that was owed of it has been delivered or withdrawn.
  Released settle(const std::shared_ptr<OpenFile>& file);
  /// Undoes an acquire() that did not become a handle.
  void give_up(const std::shared_ptr<OpenFile>& file, bool writer);

 private:
  static bool owes_locked(const OpenFile& file);
  bool drop_locked(const std::shared_ptr<OpenFile>& file, bool writer);
  bool erase_unused_locked(const OpenFile& file);

  mutable std::mutex mutex_;  // taken before OpenFile::mutex
  std::unordered_map<InodeId, std::shared_ptr<OpenFile>> files_;
  std::unordered_map<HandleId, std::shared_ptr<FileHandle>> handles_;
  HandleId next_handle_ = 1;
  std::atomic<std::uint64_t> closed_ = 0;
};

}  // namespace prefixfs::vfs
