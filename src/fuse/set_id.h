#pragma once
// Three words of the kernel's requests that libfuse 3.14 does not hand on.

#include <cstddef>
#include <span>

namespace prefixfs::fuse {

/// Since FUSE_HANDLE_KILLPRIV_V2 (7.33) is granted, it is the file system that clears set-id bits; who has no CAP_FSETID is told by FUSE_WRITE_KILL_SUIDGID,
/// FATTR_KILL_SUIDGID and FUSE_OPEN_KILL_SUIDGID. `request`: as read from /dev/fuse.
bool asks_to_kill_set_id(std::span<const std::byte> request);

}  // namespace prefixfs::fuse
