#pragma once
// The two extended attributes that prefixfs has of its own.

#include <cstddef>

#include "callbacks.h"

namespace prefixfs::fuse {

/// `user.prefixfs.state` and `user.prefixfs.last_error`; everything else is EOPNOTSUPP.
void on_getxattr(fuse_req_t raw, fuse_ino_t inode, const char* name, std::size_t size);

}  // namespace prefixfs::fuse
