#pragma once
// The callbacks about the bytes of an open file.

#include <cstddef>

#include "callbacks.h"

namespace prefixfs::fuse {

void on_read(fuse_req_t raw, fuse_ino_t inode, std::size_t size, off_t offset, fuse_file_info* file);
void on_write(fuse_req_t raw, fuse_ino_t inode, const char* data, std::size_t size, off_t offset, fuse_file_info* file);
void on_flush(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file);
void on_fsync(fuse_req_t raw, fuse_ino_t inode, int data_only, fuse_file_info* file);
void on_fallocate(fuse_req_t raw, fuse_ino_t inode, int mode, off_t offset, off_t length, fuse_file_info* file);
void on_lseek(fuse_req_t raw, fuse_ino_t inode, off_t offset, int whence, fuse_file_info* file);
void on_copy_file_range(fuse_req_t raw, fuse_ino_t from_inode, off_t from_offset, fuse_file_info* from, fuse_ino_t to_inode, off_t to_offset,
                        fuse_file_info* to, std::size_t length, int flags);

}  // namespace prefixfs::fuse
