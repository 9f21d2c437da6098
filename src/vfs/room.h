#pragma once
// Whose bytes give way when the local disk is full: what is only a copy of S3 makes room for what is needed now.

#include <deque>
#include <memory>
#include <mutex>

#include "content.h"

namespace prefixfs::vfs {

/// Contents of closed files go first, then clean bytes of open ones, in turn. Thread-safe; takes no lock of an OpenFile, so that it may be
/// called with one held.
class Room {
 public:
  explicit Room(ContentCache& closed) : closed_(closed) {}

  /// Programs have it open: from now on it is one of those that give back.
  void watch(const std::shared_ptr<Content>& content);

  /// Does `work`, which takes up to `bytes` of the disk; as long as it finds no space and some can be made, again. It fails with no_space
  /// only where everything that is local is needed.
  template <class Work>
  auto with(std::uint64_t bytes, Work work) -> decltype(work()) {
    auto done = work();
    while (!done && done.error().code == Errc::no_space && make(bytes)) {
      done = work();
    }
    return done;
  }

  /// Before `bytes` more of `content` are fetched: keeps what is only a copy of S3 below the cache's limit, as far as closed files and what
  /// lies in front of `behind` make it possible.
  void keep_limit(Content& content, std::uint64_t bytes, std::uint64_t behind);

 private:
  bool make(std::uint64_t bytes);

  ContentCache& closed_;
  std::mutex mutex_;  // taken before those of ContentCache and Content
  std::deque<std::weak_ptr<Content>> open_;  // who gave last stands last
};

}  // namespace prefixfs::vfs
