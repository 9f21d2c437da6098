#pragma once
// The bytes of objects: numbered files which are written once, shared by copies, and removed with their last user.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::devs3 {

/// One file. It is unlinked when nothing refers to it any more, so an answer in flight keeps its bytes while the object is replaced.
class DataFile {
 public:
  DataFile(std::uint64_t id, std::filesystem::path path, std::shared_ptr<const std::atomic<bool>> keep)
      : id_(id), path_(std::move(path)), keep_(std::move(keep)) {}
  ~DataFile();
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;

  std::uint64_t id() const { return id_; }
  const std::filesystem::path& path() const { return path_; }
  Result<UniqueFd> open() const;

 private:
  std::uint64_t id_;
  std::filesystem::path path_;
  std::shared_ptr<const std::atomic<bool>> keep_;  ///< set while indexes are loaded and when the program ends: then files stay
};

/// Bytes [offset, offset + length) of a file. An object is a row of them, so that a copy or the completion of a multipart upload moves
/// no bytes.
struct Extent {
  std::shared_ptr<const DataFile> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

std::uint64_t total_length(const std::vector<Extent>& extents);
/// The extents of `length` bytes from `offset`.
std::vector<Extent> slice(const std::vector<Extent>& extents, std::uint64_t offset, std::uint64_t length);

/// Calls `take(span)` with all bytes in order, in blocks of at most 256 KiB; `take` returns Result<void>.
template <class Take>
Result<void> for_each_block(const std::vector<Extent>& extents, Take take);

/// Thread-safe.
class DataFiles {
 public:
  static Result<std::unique_ptr<DataFiles>> open(std::filesystem::path root);
  /// From now on files stay although their last user goes: the program ends.
  void keep_all() { keep_->store(true); }

  /// A new, empty file.
  Result<std::shared_ptr<const DataFile>> create();
  /// The file of this id, which an index names; the same object for the same id.
  std::shared_ptr<const DataFile> adopt(std::uint64_t id);
  /// After all indexes are loaded: removes the files that none of them names, and from now on each file goes with its last user.
  void remove_unknown();

 private:
  explicit DataFiles(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path path_of(std::uint64_t id) const;

  std::filesystem::path root_;
  std::shared_ptr<std::atomic<bool>> keep_ = std::make_shared<std::atomic<bool>>(true);
  std::mutex mutex_;  ///< guards the members below
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::weak_ptr<const DataFile>> adopted_;
};

/// Writes one file from bytes that arrive in order. Blocks of zeros become holes: 5 GiB of zeros take no disk.
class SparseWriter {
 public:
  explicit SparseWriter(DataFiles& files) : files_(files) {}
  Result<void> append(std::span<const std::byte> data);
  /// Nothing for an empty body.
  Result<std::vector<Extent>> finish();

 private:
  Result<void> write_block(std::span<const std::byte> block);

  DataFiles& files_;
  std::shared_ptr<const DataFile> file_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

/// Fills `out` from `fd` at `offset`. Errors: io.
Result<void> read_exactly(int fd, std::uint64_t offset, std::span<std::byte> out);

template <class Take>
Result<void> for_each_block(const std::vector<Extent>& extents, Take take) {
  std::vector<std::byte> block(256 * 1024);
  for (const auto& extent : extents) {
    TRY_ASSIGN(const auto fd, extent.file->open());
    for (std::uint64_t done = 0; done < extent.length;) {
      const auto count = std::min<std::uint64_t>(block.size(), extent.length - done);
      const auto part = std::span(block).first(count);
      TRY(read_exactly(fd.get(), extent.offset + done, part));
      TRY(take(std::span<const std::byte>(part)));
      done += count;
    }
  }
  return {};
}

}  // namespace prefixfs::devs3
