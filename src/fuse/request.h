#pragma once
// What every callback needs: who asks, how it is interrupted, how errors are answered.

#include <exception>
#include <functional>
#include <stop_token>

#include "callbacks.h"
#include "device.h"
#include "gate.h"
#include "handle_records.h"
#include "lock_waiters.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::fuse {

/// What libfuse hands to every callback.
struct Server {
  vfs::Filesystem& filesystem;
  Log& log;
  HandleRecords& handles;
  Gate& gate;
  Device& device;
  LockWaiters& lock_waiters;
};

/// One request of the kernel, from callback to reply. Interrupting it stops what it waits for.
class Request {
 public:
  enum class Interrupts {
    heed,      ///< of signals that end a program: see interrupts.h
    ignore,
    heed_all,  ///< where a call may wait for ever, and programs expect EINTR
  };
  Request(fuse_req_t request, Interrupts interrupts);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// The request, to be replied to now: it can no longer be interrupted. (libfuse calls the interrupt function under a lock that
  /// unregistering waits for, but replying does not; without this the function could find its Request gone.)
  fuse_req_t settle() const;
  /// As a signal does.
  void interrupt() { stop_.request_stop(); }
  std::stop_token caller_token() const { return stop_.get_token(); }
  Server& server() const { return *static_cast<Server*>(fuse_req_userdata(request_)); }
  vfs::Filesystem& filesystem() const { return server().filesystem; }
  HandleRecords& handles() const { return server().handles; }
  vfs::Caller caller() const;

  void reply(const Error& error) const;
  void reply(const Result<void>& result) const;
  void reply_entry(const Result<vfs::Entry>& entry) const;
  void reply_attributes(const Result<vfs::Entry>& entry) const;
  void reply_lock(const Result<void>& locked) const;

 private:
  static void interrupted(fuse_req_t request, void* self);

  fuse_req_t request_;
  const bool all_signals_;
  std::stop_source stop_;
};

fuse_entry_param entry_param(const vfs::Entry& entry);
struct stat stat_of(const vfs::Attributes& attributes);
double seconds(std::chrono::nanoseconds duration);

/// Runs a callback's body; a bug or a lack of memory becomes EIO and a log line, not the end of the mount.
template <class Body>
void answer(fuse_req_t raw, Request::Interrupts interrupts, Body&& body) {
  const Request request(raw, interrupts);
  try {
    body(request);
  } catch (const std::exception& exception) {
    request.reply(Error{Errc::internal, std::string("a bug: ") + exception.what(), {}});
  }
}

/// The same for what may make an open file differ from S3: while an upgrade waits for the opposite, this waits too, and may be left for the
/// next worker, to whom the kernel sends it again.
template <class Body>
void answer_change(fuse_req_t raw, Request::Interrupts interrupts, Body&& body) {
  auto& server = *static_cast<Server*>(fuse_req_userdata(raw));
  if (const Gate::Pass pass = server.gate.pass()) {
    answer(raw, interrupts, std::forward<Body>(body));
  }
}

}  // namespace prefixfs::fuse
