#pragma once
// The kernel's side: one mount, its requests, and their answers. Hides libfuse.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"
#include "prefixfs/vfs/processes.h"

namespace prefixfs::fuse {

struct MountOptions {
  std::string source;       ///< shown by mount and df: "s3://bucket/prefix"
  std::string mountpoint;
  bool allow_other = false;
  bool read_only = false;
  std::vector<std::string> generic;  ///< noatime, noexec, ...
  unsigned threads_max = 64;
};

/// Why the directory cannot be mounted on. Errors: not_found, not_dir, busy (already a mount of prefixfs, or a dead one), denied.
Result<void> check_mountpoint(const std::string& mountpoint);

class Session {
 public:
  virtual ~Session() = default;  ///< unmounts, if that has not happened
  /// Serves requests until the mount is gone or stop() was called; requests in flight are finished first.
  /// `ready` is called once, when the kernel has been answered for the first time. Called from the thread that stop() must wake.
  virtual Result<void> serve(std::function<void()> ready) = 0;
  /// From any thread.
  virtual void stop() = 0;
};

/// Mounts. With root's rights by mount(2), otherwise through fusermount3.
/// Errors: denied, not_found (no fusermount3), busy, io.
Result<std::unique_ptr<Session>> mount(const MountOptions& options, vfs::Filesystem& filesystem, Log& log);

/// What the kernel of this host tells of the programs behind the requests of the mount that is going to be there.
std::unique_ptr<vfs::Processes> make_processes(const std::string& mountpoint);

/// The only table from Errc to errno.
int errno_of(Errc code);
/// The same with one exception: a bucket that is not there is no name that is not there. (A program would take ENOENT for an empty directory.)
int errno_of(const Error& error);

}  // namespace prefixfs::fuse
