#pragma once
// What passes through /dev/fuse beside the requests themselves: the first exchange, and what must be remembered of each request.

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "in_flight.h"
#include "init_exchange.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::fuse {

/// Reads requests and writes answers, for libfuse. read() and write() are thread-safe.
class Device {
 public:
  Device(InFlight& in_flight, Log& log) : in_flight_(in_flight), log_(log) {}

  /// As read(2), into a buffer that stays the thread's own. A request that has killed too many workers is answered here, and not given.
  ssize_t read(int fd, void* buffer, std::size_t size);
  /// As writev(2).
  ssize_t write(int fd, const iovec* parts, int count);

  /// For a mount's first worker: `save` gets the first exchange before the kernel is answered, `answered` is called afterwards.
  void on_first_exchange(std::function<void(const SavedInit&)> save, std::function<void()> answered);
  /// For those after it: the next answer is that to a replayed request, and the kernel does not get it.
  void swallow_answer() { swallow_ = true; }
  /// Asks the kernel to send again what was read and not answered. Errors: unsupported.
  static Result<void> ask_to_resend(int fd);

  /// `unique` of the request that this thread has read last.
  static std::uint64_t current_request();
  /// The same number for a request and for the one that the kernel sends again.
  static std::uint64_t request_number() { return current_request() & ~kResentBit; }
  /// Whether the caller of this thread's request lacks CAP_FSETID, which the kernel says with what is written, cut, or opened to be cut. (libfuse 3.14 does not
  /// hand it on.)
  static bool kills_set_id();
  /// The memory that this thread's request was read into, for the bytes of its answer: from where the callback has all that it needs of the request.
  static std::span<std::byte> request_buffer();
  /// The kernel is to ask for mode, owner, times and size of an inode when they are wanted next. From a request that keeps the inode alive; pages stay, so that nothing
  /// is waited for.
  static void forget_attributes(std::uint64_t inode);
  /// Whether a worker may have done, and not answered, what this thread's request asks for.
  static bool is_resent() { return (current_request() & kResentBit) != 0; }

 private:
  void refuse(int fd, const fuse_in_header& header);
  ssize_t answer_init(int fd, const iovec* parts, int count);

  InFlight& in_flight_;
  Log& log_;
  bool swallow_ = false;  // set before there is a second thread
  std::optional<InitExchange> first_;  // between the request and its answer, which come from one thread before any other request
  std::function<void(const SavedInit&)> save_;
  std::function<void()> answered_;
};

}  // namespace prefixfs::fuse
