#pragma once
// What can be known of the programs behind the requests. The FUSE protocol says little of them; the kernel tells more beside it.

#include <sys/types.h>

#include <string_view>

#include "prefixfs/meta/node_cache.h"

namespace prefixfs::vfs {

/// For what a thread that waits looks a name up.
enum class LookupIntent {
  unknown,     ///< stat, an exclusive create, or not to be known: what was learnt within the window may answer
  open,        ///< open(2) of what is there: somebody has told the program that there is a file
  open_below,  ///< open(2) of something in a directory of that name
  open_anew,   ///< open(2) with O_CREAT and O_TRUNC, without O_EXCL: what may stand under the name is not going to be read
  make,        ///< mkdir(2), mknod(2), symlink(2), link(2): there should be nothing of that name
  remove,      ///< unlink(2): whatever file stands under the name is to go
};

/// Thread-safe. Asks the kernel alone, so it may be asked while a request of the very thread waits.
class Processes {
 public:
  virtual ~Processes() = default;
  /// The process that a thread belongs to; 0 when it is gone or not visible from here.
  virtual pid_t process_of(pid_t thread) const = 0;
  /// Whether the process has a descriptor of an inode with this number; false also where the kernel does not tell.
  virtual bool has_descriptor(pid_t process, meta::InodeId inode) const = 0;
  /// Whether the thread waits in one of these calls, of a path that has the component `name`, and which.
  virtual LookupIntent intent_of(pid_t thread, std::string_view name) const = 0;
};

}  // namespace prefixfs::vfs
