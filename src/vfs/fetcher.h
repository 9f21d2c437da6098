#pragma once
// Brings bytes of a stored version into its staged file, each byte once, many ranges in parallel.

#include <atomic>
#include <functional>

#include "content.h"
#include "prefixfs/base/worker_pool.h"
#include "prefixfs/s3/object_store.h"
#include "room.h"

namespace prefixfs::vfs {

/// Thread-safe.
class Fetcher {
 public:
  Fetcher(s3::ObjectStore& store, Room& room, WorkerPool& pool, std::uint64_t part_bytes)
      : store_(store), room_(room), pool_(pool), part_bytes_(part_bytes) {}
  /// Waits for what is in flight.
  ~Fetcher();

  /// Returns when `needed` is local; a caller who wants it to stay so holds a Pin. `now` (which covers it) is fetched meanwhile, and `ahead` in the background.
  /// `key` is asked anew for each request, since the file may be renamed. Errors: stale (the version is gone), and those of ObjectStore::get.
  Result<void> ensure(const std::shared_ptr<Content>& content, const std::function<Key()>& key, ByteRange needed, ByteRange now,
                      const std::vector<ByteRange>& ahead, const CallContext& context);

  /// All of the version.
  Result<void> ensure_all(const std::shared_ptr<Content>& content, const std::function<Key()>& key, const CallContext& context);

 private:
  /// What lies in front of `behind` may give way.
  void start(const std::shared_ptr<Content>& content, const std::function<Key()>& key, ByteRange wanted, std::uint64_t behind, Urgency urgency,
             const CallContext& context);
  void run(const std::shared_ptr<Content>& content, const Key& key, const ETag& etag, ByteRange range, const CallContext& context);

  s3::ObjectStore& store_;
  Room& room_;
  WorkerPool& pool_;
  const std::uint64_t part_bytes_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

}  // namespace prefixfs::vfs
