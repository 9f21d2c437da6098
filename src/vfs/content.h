#pragma once
// One version of one object, as far as it is local: a staged file that is filled when somebody reads.

#include <atomic>
#include <condition_variable>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "prefixfs/object/key.h"
#include "prefixfs/object/object_info.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// Why a fetch brought nothing, and what it had asked for: an answer about another name or version says nothing of the present one.
struct FetchFailure {
  Error error;
  Key key;
  ETag etag;
};

/// Shared by the open file, by fetches in flight, and by the cache of closed files.
struct Content {
  Content(std::shared_ptr<stage::StagedFile> staged, ETag version) : file(std::move(staged)), etag(std::move(version)) {}

  const std::shared_ptr<stage::StagedFile> file;
  std::atomic<bool> opened{false};   ///< programs have had it open, so the kernel may hold pages of this version

  std::atomic<bool> kept{false};     ///< its file is in kept/ by now
  std::atomic<bool> watched{false};  ///< Room knows it
  std::atomic<bool> irreplaceable{false};  ///< S3 no longer has this version: no byte of it is given back

  std::mutex mutex;                  ///< guards all below but `pinned`; never held over a network call
  std::condition_variable arrived;   ///< bytes came, or a fetch ended
  ETag etag;                         ///< of the stored version; empty: there is none
  stage::RangeSet in_flight;
  std::vector<ByteRange> awaited;    ///< by those who wait for `arrived`
  std::optional<FetchFailure> fetch_error;  ///< of the last fetch that failed; cleared by the next one that is tried
  std::optional<ObjectInfo> info;    ///< complete headers of the version, where an answer brought them

  std::mutex pins_mutex;             ///< taken after `mutex`; guards `pinned` alone, so that a reader does not wait for bytes that are being written
  std::vector<ByteRange> pinned;     ///< see Pin

  /// Gives back the disk space of clean bytes of `range` that are not pinned, from its beginning on, until `enough` bytes are free.
  /// How many were.
  std::uint64_t give_back(ByteRange range, std::uint64_t enough);

  std::uint64_t bytes_in_flight() {
    const std::lock_guard lock(mutex);
    return in_flight.bytes();
  }
  std::optional<ObjectInfo> headers() {
    const std::lock_guard lock(mutex);
    return info;
  }
};

inline constexpr ByteRange kWholeFile{0, std::numeric_limits<std::uint64_t>::max()};

/// While it lives, what is local of the range stays local: from before it is fetched until it has been used. One of nothing pins nothing.
class Pin {
 public:
  Pin() = default;
  Pin(std::shared_ptr<Content> content, ByteRange range);
  ~Pin();
  Pin(Pin&& other) noexcept = default;  // leaves `other` without a content
  Pin& operator=(Pin&& other) noexcept;

 private:
  std::shared_ptr<Content> content_;
  ByteRange range_;
};

/// Clean contents of closed files, least recently used first out. Thread-safe.
class ContentCache {
 public:
  ContentCache(std::uint64_t bytes_max, std::size_t files_max) : bytes_max_(bytes_max), files_max_(files_max) {}

  /// The content of this inode, if it is of version `etag`; it leaves the cache. Another version is thrown away.
  std::shared_ptr<Content> take(InodeId id, const ETag& etag);
  /// The same without taking it out.
  std::shared_ptr<Content> peek(InodeId id, const ETag& etag);
  void put(InodeId id, std::shared_ptr<Content> content);
  void drop(InodeId id);
  /// Throws away the oldest until `bytes` more fit below the limit, or nothing is left.
  void make_room(std::uint64_t bytes);
  /// Throws away the oldest until `bytes` are given back, or nothing is left. How many were.
  std::uint64_t give_back(std::uint64_t bytes);
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  struct Kept {
    InodeId id;
    std::shared_ptr<Content> content;
    std::uint64_t bytes;
  };
  void drop_locked(std::list<Kept>::iterator kept);

  const std::uint64_t bytes_max_;
  const std::size_t files_max_;
  std::mutex mutex_;
  std::list<Kept> order_;  // oldest first
  std::unordered_map<InodeId, std::list<Kept>::iterator> by_id_;
  std::uint64_t bytes_ = 0;
};

}  // namespace prefixfs::vfs
