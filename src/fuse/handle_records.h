#pragma once
// Open handles, remembered beyond the death of the worker: the kernel goes on using their numbers.

#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "ledger.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::fuse {

/// Thread-safe. A handle for which there is no record left is served, and dead after a take-over.
class HandleRecords {
 public:
  using Look = std::function<std::optional<vfs::OpenState>(vfs::InodeId)>;

  /// `look`: what is behind the handles of an inode now.
  HandleRecords(std::span<HandleRecord> records, std::atomic<std::uint64_t>& used, Look look);

  /// After the death of a worker. Handles of which the kernel was not told go; `unanswered` tells a request by its number.
  void forget_unanswered(const std::function<bool(std::uint64_t)>& unanswered);
  std::vector<vfs::OpenBefore> files() const;
  std::vector<std::pair<vfs::HandleId, vfs::InodeId>> directories() const;
  /// It could not be opened again, nor can it after the next death: those of the same inode that are opened now have nothing to do with it.
  void died(vfs::HandleId handle);

  /// Each before the answer that tells of it is written. `request`: the number of the request that made the handle.
  void opened(vfs::HandleId handle, vfs::InodeId inode, int flags, std::uint64_t request);
  void opened_directory(vfs::HandleId handle, vfs::InodeId inode, std::uint64_t request);
  void closed(vfs::HandleId handle);
  void closed_directory(vfs::HandleId handle);
  /// Something was changed or stored through a handle of the inode, or one was opened again.
  void changed(vfs::InodeId inode);
  /// As changed(), where it can only have become unstored.
  void written(vfs::InodeId inode);
  /// A rename or unlink: the version of any open file may be another one, or gone.
  void names_changed();

  bool is_unstored(vfs::InodeId inode) const;
  /// Whether any file has what S3 has not.
  bool any_unstored() const;

 private:
  struct Made {
    HandleKind kind;
    vfs::HandleId handle;
    vfs::InodeId inode;
    int flags;
    std::uint64_t request;
  };
  bool add(const Made& made);
  void remove(HandleKind kind, vfs::HandleId handle);
  void leave_inode_locked(vfs::InodeId inode, std::size_t place);
  void refresh_locked(vfs::InodeId inode);
  std::mutex& order_of(vfs::InodeId inode) { return orders_[inode % orders_.size()]; }

  std::span<HandleRecord> records_;
  std::atomic<std::uint64_t>& used_;
  const Look look_;
  /// Of looking at an inode and writing down what was seen: one after the other. Taken before mutex_, and before the locks of vfs.
  std::array<std::mutex, 64> orders_;
  mutable std::mutex mutex_;  ///< guards all below and the records; never held while looking
  std::unordered_map<vfs::HandleId, std::size_t> files_;
  std::unordered_map<vfs::HandleId, std::size_t> directories_;
  std::unordered_multimap<vfs::InodeId, std::size_t> by_inode_;  // of files
  std::vector<std::size_t> free_;
  std::size_t unstored_ = 0;
};

}  // namespace prefixfs::fuse
