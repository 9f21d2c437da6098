#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "prefixfs/s3/object_store.h"

namespace prefixfs::vfs {

/// The next page of a listing, on its way while the program reads what the page before has told. Its end gives the request up. Thread-safe.
class PageAhead {
 public:
  /// Asks at once. The store lives longer.
  PageAhead(s3::ObjectStore& store, s3::ListOptions options, WallTime asked);

  WallTime asked() const { return asked_; }
  /// Waits for it; once. Errors: those of ObjectStore::list(); cancelled, by `context`: then it is still on its way.
  Result<s3::ListPage> take(const CallContext& context);

 private:
  const WallTime asked_;
  std::mutex mutex_;
  std::condition_variable_any come_;
  std::optional<Result<s3::ListPage>> answer_;
  std::jthread asking_;  // last: it uses all of the above
};

}  // namespace prefixfs::vfs
