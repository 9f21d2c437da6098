#pragma once
// For what a thread looks a name up. The FUSE protocol does not say it: open(2) is a LOOKUP, answered, and then an OPEN or a CREATE; mkdir(2) is a LOOKUP and
// a MKDIR, unlink(2) a LOOKUP and an UNLINK.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "prefixfs/vfs/processes.h"

namespace prefixfs::fuse {

/// Asks /proc/<tid>/syscall, and reads the path in the thread's memory. `unknown` where it cannot be known: the thread is another user's and the
/// daemon is not root, Yama or the kernel forbids it, the thread came by io_uring or is of another architecture, or the path has the name
/// twice (the lookup may be of the first).
vfs::LookupIntent intent_of(pid_t thread, std::string_view name);

/// A call that takes a path, as a line of /proc/<tid>/syscall tells it. Source: proc(5), /proc/pid/syscall.
struct PathCall {
  enum class Kind { open, make, unlink };  ///< make: mkdir, mknod, symlink, link and their -at forms
  Kind kind = Kind::open;
  std::uint64_t path = 0;  ///< where it is in the thread's memory: of what is opened, made, or removed
  int flags = 0;           ///< of open(2), or unlinkat(2)
};
std::optional<PathCall> read_path_call(std::string_view syscall_line);

/// What the call wants of the component `name` of its path.
vfs::LookupIntent intent_of_call(const PathCall& call, std::string_view path, std::string_view name);
/// unknown also for O_CREAT with O_EXCL (what was learnt may refuse it) and for directories.
vfs::LookupIntent intent_of_flags(int flags);

/// Whether `name` is the last component of the path, and no other.
bool ends_in(std::string_view path, std::string_view name);
/// Whether it is one of those before the last: what is opened lies in a directory of that name.
bool leads_through(std::string_view path, std::string_view name);

}  // namespace prefixfs::fuse
