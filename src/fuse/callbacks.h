#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

namespace prefixfs::fuse {

/// libfuse's table: each callback decodes, makes one call of vfs::Filesystem, and replies. Without those of locks the kernel keeps them, and asks nobody.
fuse_lowlevel_ops callbacks(bool with_locks);

}  // namespace prefixfs::fuse
