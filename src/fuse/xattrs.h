#pragma once
// Extended attributes. `user.*` are the object's user metadata; of `user.s3.*` and `user.prefixfs.*`, which S3 and this mount tell, none can be set, and they are
// not listed, so that no copy takes them along. Other namespaces are EOPNOTSUPP.

#include <cstddef>

#include "callbacks.h"

namespace prefixfs::fuse {

void on_getxattr(fuse_req_t raw, fuse_ino_t inode, const char* full, std::size_t size);
void on_listxattr(fuse_req_t raw, fuse_ino_t inode, std::size_t size);
void on_setxattr(fuse_req_t raw, fuse_ino_t inode, const char* full, const char* value, std::size_t size, int flags);
void on_removexattr(fuse_req_t raw, fuse_ino_t inode, const char* full);

}  // namespace prefixfs::fuse
