#pragma once
// One word of the answer to FUSE_INIT that libfuse 3.14 does not know.

#include <sys/uio.h>

namespace prefixfs::fuse {

/// Where getxattr is answered at all, the kernel asks for security.capability before each write(2), which doubles the requests of small ones. With
/// FUSE_HANDLE_KILLPRIV_V2 (7.33) it remembers that a file has none. Files here never have any; set-id bits are cleared by vfs then (set_id.h). `parts`: of the answer,
/// as libfuse hands it to writev.
void keep_writes_from_asking(const iovec* parts, int count);

}  // namespace prefixfs::fuse
