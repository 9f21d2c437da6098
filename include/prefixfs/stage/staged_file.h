#pragma once
// A sparse local file that stands for one version of an object, or for what a program is writing.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
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

/// Thread-safe: reads run beside each other; a write, fill or resize is seen as a whole or not at all.
/// `valid` bytes are in the local file; `dirty` ones (a part of valid) differ from the stored version.
/// The file keeps its name until the StagedFile is destroyed (then it is removed, unless keep() was called).
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
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
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
  /// How many leading bytes still are those of the stored version where they are not dirty (it sinks with a shrinking resize).
  std::uint64_t base_size() const;

  /// Bytes, size and name survive a power loss afterwards. Errors: io, no_space.
  Result<void> sync();
  std::uint64_t allocated_bytes() const;  ///< bytes taken of the budget: valid bytes, rounded up to 4 KiB per range
  /// Gives back the disk space; the clean file has no valid byte afterwards. Refused (busy) while changed().
  Result<void> evict();
  /// Gives back the disk space of what is valid and not dirty in `range` (whole blocks of it); it can be fetched again.
  void drop_clean(ByteRange range);
  /// Moves the file to `destination` and leaves it there for good, mode 0600, synced. Used where S3 would not take what was written.
  /// Errors: exists (nothing is overwritten), no_space, io.
  Result<void> keep(const std::filesystem::path& destination);

 private:
  friend class StageDirectory;
  StagedFile(std::filesystem::path path, UniqueFd fd, std::shared_ptr<Budget> budget, std::uint64_t base_size);
  std::int64_t cost_of(ByteRange range) const;
  Result<void> charge(std::int64_t bytes);
  void recharge();
  void undo_failed_write(ByteRange touched);
  Result<void> fill_gap(ByteRange gap, std::span<const std::byte> data);
  bool changed_locked() const { return changes_ != stored_changes_; }

  std::filesystem::path path_;
  UniqueFd fd_;
  std::shared_ptr<Budget> budget_;
  mutable std::shared_mutex mutex_;  ///< shared: reads; exclusive: whatever changes bytes, ranges or sizes
  std::uint64_t size_ = 0;
  std::uint64_t base_size_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t stored_changes_ = 0;  ///< what `changes_` was in the state that is stored
  std::uint64_t charged_ = 0;
  RangeSet valid_;
  RangeSet dirty_;
  RangeSet touched_;
  bool name_synced_ = false;
  bool kept_ = false;
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
  /// Makes `cache_directory` (mode 0700) with `stage/` and `kept/`, takes the lock, removes what a former daemon left in `stage/`.
  /// Errors: busy (another daemon owns it: its pid is in the sentence), denied, no_space, io.
  static Result<std::unique_ptr<StageDirectory>> open(const std::filesystem::path& cache_directory, std::uint64_t bytes_max);
  ~StageDirectory();

  /// A file of `base_size` bytes of which none is valid yet (0: a new file). Mode 0600.
  Result<std::shared_ptr<StagedFile>> create(std::uint64_t base_size);
  /// Where keep() may move a file: kept/<UTC time>-<counter>-<name made safe>.
  std::filesystem::path kept_path(std::string_view name, WallTime now);
  /// The mount is gone, and the lock will be free when what is open has been stored: who wants it may wait.
  void say_ending();
  Budget& budget() { return *budget_; }

 private:
  StageDirectory(std::filesystem::path root, UniqueFd lock, std::shared_ptr<Budget> budget);

  std::filesystem::path root_;
  UniqueFd lock_;
  std::shared_ptr<Budget> budget_;
  std::atomic<std::uint64_t> next_{1};
};

}  // namespace prefixfs::stage
