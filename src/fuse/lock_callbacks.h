#pragma once
// fcntl and flock, where locks hold between hosts (locks=s3). Otherwise libfuse is not told of them, and the kernel keeps them by itself.

#include "callbacks.h"
#include "request.h"

namespace prefixfs::fuse {

void on_getlk(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file, struct flock* lock);
void on_setlk(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file, struct flock* lock, int sleep);
void on_flock(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file, int operation);

/// What a close(2) ends, by the owner that came with it: the locks of a process (fcntl).
Result<void> unlock_closed(const Request& request, const fuse_file_info& file);
/// What ends with an open file (flock, and F_OFD_SETLK).
void unlock_released(const Request& request, const fuse_file_info& file);

}  // namespace prefixfs::fuse
