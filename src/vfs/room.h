#pragma once
// Whose bytes give way when the local disk is full: what is only a copy of S3 makes room for what is needed now.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "content.h"
#include "prefixfs/base/call_context.h"

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

  /// While it lives, a file is being stored: its bytes will be a copy of S3.
  class Storing {
   public:
    explicit Storing(Room& room);
    ~Storing();
    Storing(const Storing&) = delete;
    Storing& operator=(const Storing&) = delete;

   private:
    Room& room_;
  };
  /// How often a file has ceased to be.
  std::uint64_t times_stored();
  /// Waits until one more has. False where none is being stored, or the call's time is over.
  bool wait_for_stored(std::uint64_t times_before, const CallContext& context);

 private:
  bool make(std::uint64_t bytes);

  ContentCache& closed_;
  std::mutex mutex_;  // taken before those of ContentCache and Content
  std::deque<std::weak_ptr<Content>> open_;  // who gave last stands last
  std::mutex storing_mutex_;  // a leaf
  std::condition_variable_any stored_;
  std::size_t storing_ = 0;
  std::uint64_t times_stored_ = 0;
};

}  // namespace prefixfs::vfs
