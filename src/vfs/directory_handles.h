#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "listing.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// An open directory. A position in it is the inode of the entry before; the names of those given lately are remembered, because
/// a program may unlink what it has just read and then go on.
struct DirectoryHandle {
  explicit DirectoryHandle(InodeId opened, bool of_former_process = false) : directory(opened), reopened(of_former_process) {}

  const InodeId directory;
  const bool reopened;  ///< a former process gave names which nobody remembers
  std::mutex mutex;  ///< guards all below
  bool listed = false;
  std::optional<Listing> listing;  ///< nothing: what the cache has is given
  std::unordered_map<InodeId, std::string> given;
  std::deque<InodeId> order;  // of `given`, oldest first

  void remember(InodeId id, const std::string& name);
};

/// Thread-safe.
class DirectoryHandles {
 public:
  HandleId open(InodeId directory);
  /// Under the number that it had in a former process.
  void restore(HandleId id, InodeId directory);
  void number_from(HandleId first);
  std::shared_ptr<DirectoryHandle> find(HandleId id) const;
  void close(HandleId id);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<HandleId, std::shared_ptr<DirectoryHandle>> handles_;
  HandleId next_ = 1;
};

}  // namespace prefixfs::vfs
