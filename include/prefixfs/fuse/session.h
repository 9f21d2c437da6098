#pragma once
// The kernel's side: the requests of a mount and their answers. Hides libfuse.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "prefixfs/base/result.h"
#include "prefixfs/fuse/mount.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"
#include "prefixfs/vfs/processes.h"

namespace prefixfs::fuse {

/// What a worker is given of its mount.
struct Connection {
  UniqueFd device;
  UniqueFd ledger;         ///< make_ledger()
  unsigned generation = 1; ///< of workers of this supervisor: no two have the same
  SavedInit init;          ///< empty: the kernel has not been answered yet
};

struct Events {
  std::function<void(const SavedInit&)> save_init;  ///< before the kernel is answered for the first time
  std::function<void()> ready;                      ///< requests are answered from now on
};

class Session {
 public:
  virtual ~Session() = default;
  /// Serves requests until the mount is gone or stop() was called; requests in flight are finished first. Called from the thread that stop()
  /// must wake. Errors: unsupported (nobody can take over this mount; it must be made anew), io.
  virtual Result<void> serve(const Events& events) = 0;
  /// From any thread.
  virtual void stop() = 0;
  /// From any thread: stops as soon as no open file has what S3 has not, so that another process can go on. Programs that would change
  /// something wait meanwhile. False, and serving on: that took longer than `limit`.
  virtual bool stop_for_upgrade(std::chrono::milliseconds limit) = 0;
};

/// Errors: unsupported (as in serve), io.
Result<std::unique_ptr<Session>> attach(Connection connection, vfs::Filesystem& filesystem, Log& log);

/// What the kernel of this host tells of the programs behind the requests of the mount that is going to be there.
std::unique_ptr<vfs::Processes> make_processes(const std::string& mountpoint);

/// The only table from Errc to errno.
int errno_of(Errc code);
/// The same with one exception: a bucket that is not there is no name that is not there. (A program would take ENOENT for an empty directory.)
int errno_of(const Error& error);
/// The same for fcntl(2) and flock(2): what is in use by somebody else is EAGAIN there, and what cannot be done ENOLCK.
int errno_of_lock(const Error& error);

}  // namespace prefixfs::fuse
