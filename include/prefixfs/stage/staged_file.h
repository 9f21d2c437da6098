#pragma once
// A sparse local file that stands for one version of an object, or for what a program is writing.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "prefixfs/base/body.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"
#include "prefixfs/stage/range_set.h"

namespace prefixfs::stage {

/// Bytes on disk that may be used for one purpose. Thread-safe.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  /// False when it would exceed the maximum; nothing is taken then.
  bool take(std::uint64_t bytes);
  /// For what is on the disk already: also above the maximum, and nothing else is given until it is below again.
  void take_beyond(std::uint64_t bytes) { used_.fetch_add(bytes); }
  void give_back(std::uint64_t bytes);
  std::uint64_t used() const { return used_.load(); }
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
};

/// One moment of a staged file, for whoever makes an object of it.
struct Moment {
  std::uint64_t change_count = 0;
  std::uint64_t size = 0;
  std::uint64_t base_size = 0;
  std::vector<ByteRange> dirty;
  std::vector<ByteRange> touched;  ///< written, extended or cut off since touched ranges were last taken
};

/// What a record must hold so that a later process can go on with the file (StageDirectory::adopt).
struct FileState {
  std::string name;  ///< below stage/
  std::uint64_t size = 0;
  std::uint64_t base_size = 0;
  std::vector<ByteRange> valid;
  std::vector<ByteRange> dirty;
  std::uint64_t change_count = 0;  ///< of this process only
};

/// A staged file that a former process of this boot was tracking when it was killed.
struct FormerFile {
  FileState state;
  std::string note;                ///< what track() was told last
  std::uint64_t last_request = 0;  ///< see StagedFile::last_request()
};

struct LocalFiles;
class StagedLog;

/// Thread-safe: reads run beside each other; a write, fill or resize is seen as a whole or not at all.
/// `valid` bytes are in the local file; `dirty` ones (a part of valid) differ from the stored version.
/// The file keeps its name until the StagedFile is destroyed (then that goes, unless it is retained).
class StagedFile {
 public:
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  /// Bytes of the file as programs see it.
  std::uint64_t size() const;
  std::filesystem::path path() const;

  /// A program's write: extends the file where needed, marks valid and dirty; a gap behind the old end reads as zeros, and is dirty.
  /// Errors: no_space (disk or budget; nothing is marked), too_large, io.
  /// `request`: who asks; 0: nobody who could ask again.
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data, std::uint64_t request = 0);
  /// Bytes of the stored version have arrived: marks valid. What is valid meanwhile is not overwritten, and what lies beyond the end
  /// (or beyond base_size()) is dropped. Errors: no_space (disk or budget), io; the bytes before the failure may be marked.
  Result<void> fill(std::uint64_t offset, std::span<const std::byte> data);
  /// Reads at most out.size() bytes, fewer at the end of the file. The caller has made sure that they are valid; Errc::internal if not.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) const;
  /// What of `range` (cut at size()) must be fetched before it can be read.
  std::vector<ByteRange> missing(ByteRange range) const;
  /// Shrinks or extends; what is extended is zeros, valid and dirty. A shrunk file has no dirty byte, but is changed().
  /// The present size: nothing happens. Errors: no_space (budget; nothing changes), too_large, io.
  Result<void> resize(std::uint64_t size);
  /// `range` (cut at size()) reads as zeros, and is valid and dirty; a hole of the local file where that can have holes. Errors: no_space (disk or
  /// budget; nothing is marked), io.
  Result<void> zero(ByteRange range);
  /// As resize(), where that extends; and the disk has space for what is added, as far as the local file system can promise it.
  Result<void> reserve(std::uint64_t size);
  /// Where data begins at or behind `offset`, and where the next hole does (at the latest at size()). A hole is what is valid and was never written; what is
  /// missing is data. Nothing: there is none before the end.
  std::optional<std::uint64_t> next_data(std::uint64_t offset) const;
  std::optional<std::uint64_t> next_hole(std::uint64_t offset) const;

  std::vector<ByteRange> dirty_ranges() const;
  bool changed() const;            ///< written or resized since the state that mark_clean() was told last
  std::uint64_t change_count() const;  ///< grows with every write and resize: tells a commit whether more came meanwhile
  /// All of one moment, and begins a new set of touched ranges. For one FileUpload at a time.
  Moment take_moment();
  /// The touched ranges alone: cheap while a program writes.
  std::vector<ByteRange> take_touched();
  /// The state numbered `change_count` is stored now. Where nothing came since: no byte is dirty any more, and true.
  /// Otherwise false: the caller's commit has stored an older state than the file holds, and the file stays changed().
  bool mark_clean(std::uint64_t change_count);
  /// The first `size` bytes are those of the stored version now, and behind them more was written. Nothing, where the file is shorter.
  void stored_up_to(std::uint64_t size);
  /// How many leading bytes still are those of the stored version where they are not dirty (it sinks with a shrinking resize).
  std::uint64_t base_size() const;

  /// Bytes, size and name survive a power loss afterwards. Errors: io, no_space.
  Result<void> sync();
  /// One moment of it. What was written before and synced after the call is as it says.
  FileState state() const;
  /// While it is retained, the local file stays where it is when the StagedFile goes: a record names it. An adopted file is retained.
  void retain(bool on);
  bool retained() const;

  /// From now on what changes is written down before the call returns (in the page cache: it outlives a killed process, not a power loss), with
  /// `note` for the owner's own use; called again, only the note is another one. Where that fails the file is no longer tracked.
  void track(const std::string& note);
  void untrack();
  bool tracked() const;
  /// The request of the last write() that named one.
  std::uint64_t last_request() const;
  std::uint64_t allocated_bytes() const;  ///< bytes taken of the budget: valid bytes, rounded up to 4 KiB per range
  /// Gives back the disk space; the clean file has no valid byte afterwards. Refused (busy) while changed() or retained.
  Result<void> evict();
  /// Gives back the disk space of what is valid and not dirty in `range` (whole blocks of it); it can be fetched again. Nothing of a retained
  /// file: its record says that they are here.
  void drop_clean(ByteRange range);
  /// Gives the file the name `destination` for good, mode 0600, synced. Its name in `stage/` goes with the StagedFile, unless that is retained: then
  /// a next process that adopts it takes the new name back. Used where S3 would not take what was written.
  /// Errors: exists (nothing is overwritten), no_space, io.
  Result<void> keep(const std::filesystem::path& destination);

 private:
  friend class StageDirectory;
  StagedFile(std::filesystem::path path, UniqueFd fd, std::shared_ptr<Budget> budget, std::shared_ptr<LocalFiles> local, std::uint64_t base_size);
  std::int64_t cost_of(ByteRange range) const;
  Result<void> take_of_budget(std::uint64_t bytes) const;
  std::uint64_t cost_of_all() const;
  FileState state_locked() const;
  void begin_as(const FileState& state);
  Result<void> charge(std::int64_t bytes);
  void recharge();
  void undo_failed_write(ByteRange touched);
  /// What a fill has put into a gap, and taken of the budget for it, before it is valid.
  struct Filled {
    ByteRange gap;
    std::uint64_t taken = 0;
  };
  Result<void> write_gaps(ByteRange range, std::span<const std::byte> data, std::vector<Filled>& filled) const;
  void mark_filled(const Filled& filled);
  enum class Space { when_written, now };
  Result<void> resize_locked(std::uint64_t size, Space space);
  Result<void> take_space(ByteRange added);
  bool changed_locked() const { return changes_ != stored_changes_; }
  void log_change(int change, ByteRange range, std::uint64_t request = 0);

  std::filesystem::path path_;
  UniqueFd fd_;
  std::shared_ptr<Budget> budget_;
  std::shared_ptr<LocalFiles> local_;
  mutable std::shared_mutex mutex_;  ///< shared: reads, and bytes for gaps; exclusive: whatever changes valid bytes, ranges or sizes
  std::uint64_t size_ = 0;
  std::uint64_t base_size_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t stored_changes_ = 0;  ///< what `changes_` was in the state that is stored
  std::uint64_t given_back_ = 0;      ///< grows whenever bytes are
  std::uint64_t charged_ = 0;
  RangeSet valid_;
  RangeSet dirty_;
  RangeSet touched_;
  std::filesystem::path log_path_;
  std::string boot_id_;
  std::unique_ptr<StagedLog> log_;  ///< while it is tracked
  std::uint64_t last_request_ = 0;
  bool name_synced_ = false;
  bool kept_ = false;
  bool retained_ = false;
};

/// A staged file (or a range of it) as a request body.
class StagedBody final : public BodySource {
 public:
  StagedBody(const StagedFile& file, ByteRange range) : file_(file), range_(range) {}
  std::uint64_t size() const override { return range_.length(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  const StagedFile& file_;
  ByteRange range_;
};

/// The directory `stage/` of a cache directory, and the lock that makes one daemon its owner. Thread-safe.
class StageDirectory {
 public:
  /// Makes `cache_directory` (mode 0700) with `stage/` and `kept/`, and takes the lock. What a former daemon left in `stage/` is there until
  /// remove_unclaimed().
  /// Errors: busy (another daemon owns it: its pid is in the sentence), denied, no_space, io.
  /// `boot_id`: that of the machine; what another boot has tracked is not believed.
  static Result<std::unique_ptr<StageDirectory>> open(const std::filesystem::path& cache_directory, std::uint64_t bytes_max,
                                                      std::string boot_id = {});
  ~StageDirectory();

  /// A file of `base_size` bytes of which none is valid yet (0: a new file). Mode 0600.
  Result<std::shared_ptr<StagedFile>> create(std::uint64_t base_size);
  /// The file of a former process, as its record says. It counts as changed, and takes its bytes of the budget also where that is
  /// exceeded. Bytes behind the end that the record says were never acknowledged, and are cut off. Whatever the outcome, the name is
  /// claimed. Errors: not_found (no such file), corrupt (it is shorter than the record says, the record contradicts itself, or the file
  /// was adopted before), denied (not a regular file of ours), io.
  Result<std::shared_ptr<StagedFile>> adopt(const FileState& state);
  /// The same for what a former process had open. It is not retained, and the log of it stays until track().
  Result<std::shared_ptr<StagedFile>> reopen(const FormerFile& former);
  /// A second file with the same bytes, ranges and sizes (the blocks shared where the file system can). It counts as changed. Errors:
  /// no_space, io.
  Result<std::shared_ptr<StagedFile>> clone(const StagedFile& file);
  /// What a former process was tracking, in the order of the names. For reopen(), if it is to be gone on with; the other logs go with
  /// remove_unclaimed().
  Result<std::vector<FormerFile>> former();
  struct Unclaimed {
    std::vector<std::string> removed;  ///< our own files that no record names (with `keep_own`: moved)
    std::vector<std::string> foreign;  ///< what was never ours; left alone
  };
  /// After the records of a former process have been adopted, before create() is called: what else lies in `stage/`. With `keep_own` our own files
  /// are moved to kept/ (a record that could not be read may have named them).
  Result<Unclaimed> remove_unclaimed(bool keep_own);
  /// Where keep() may move a file: kept/<UTC time>-<counter>-<name made safe>.
  std::filesystem::path kept_path(std::string_view name, WallTime now);
  /// Writes what is to be known of a kept file beside it, as <its name>.why (mode 0600). Errors: exists, no_space, io.
  static Result<void> note_kept(const std::filesystem::path& kept, const std::string& text);
  /// The mount is gone, and the lock will be free when what is open has been stored: who wants it may wait.
  void say_ending();
  Budget& budget() { return *budget_; }

 private:
  StageDirectory(std::filesystem::path root, UniqueFd lock, std::shared_ptr<Budget> budget, std::uint64_t next, std::string boot_id);
  std::shared_ptr<StagedFile> make(std::filesystem::path path, UniqueFd fd, std::uint64_t base_size);
  /// Notes that a record names it, and that no new file may. False: another record did before.
  bool claim(const std::string& name, std::uint64_t number);
  bool claimed(const std::string& name);
  bool reopened(const std::string& name);
  Result<void> remove_logs();

  const std::filesystem::path root_;
  const std::string boot_id_;
  UniqueFd lock_;
  std::shared_ptr<Budget> budget_;
  std::shared_ptr<LocalFiles> local_;
  std::mutex mutex_;                 ///< of the names alone
  std::set<std::string> claimed_;    ///< that adopt() was asked for
  std::set<std::string> reopened_;   ///< whose logs are in use
};

}  // namespace prefixfs::stage
