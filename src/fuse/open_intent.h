#pragma once
// For what a thread looks a name up. The FUSE protocol does not say it: open(2) of a new file is a LOOKUP, answered, and then a CREATE.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace prefixfs::fuse {

/// Whether the thread waits in open(2) or openat(2) of a path whose last component is `name`, with O_CREAT and O_TRUNC and without O_EXCL:
/// then the next request is a CREATE, and nothing that may stand under the name is going to be read.
/// Asks the kernel alone (/proc/<tid>/syscall and the path in the thread's memory), so it may be called while a request of the thread waits.
/// False where it cannot be known: the thread is another user's and the daemon is not root, Yama or the kernel forbids it, the thread came by
/// io_uring or is of another architecture, or the path has the name twice (the lookup may be of the first).
bool opens_anew(pid_t thread, std::string_view name);

/// An open(2) with O_CREAT and O_TRUNC and without O_EXCL, as a line of /proc/<tid>/syscall tells it: where its path is in memory.
/// Source: proc(5), /proc/pid/syscall.
std::optional<std::uint64_t> path_opened_anew(std::string_view syscall_line);

/// Whether `name` is the last component of the path, and no other.
bool ends_in(std::string_view path, std::string_view name);

}  // namespace prefixfs::fuse
