#include <mutex>

#include "descriptors.h"
#include "mount_table.h"
#include "lookup_intent.h"
#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {
namespace {

class KernelProcesses final : public vfs::Processes {
 public:
  explicit KernelProcesses(std::string mountpoint) : mountpoint_(std::move(mountpoint)) {}

  pid_t process_of(pid_t thread) const override { return fuse::process_of(thread); }
  bool has_descriptor(pid_t process, meta::InodeId inode) const override {
    const std::string device = own_device();
    return !device.empty() && fuse::has_descriptor(process, device, inode);
  }
  vfs::LookupIntent intent_of(pid_t thread, std::string_view name) const override { return fuse::intent_of(thread, name); }

 private:
  /// Known once it is mounted.
  std::string own_device() const {
    const std::lock_guard lock(mutex_);
    if (device_.empty()) {
      device_ = device_of(mountpoint_);
    }
    return device_;
  }

  const std::string mountpoint_;
  mutable std::mutex mutex_;
  mutable std::string device_;
};

}  // namespace

std::unique_ptr<vfs::Processes> make_processes(const std::string& mountpoint) {
  return std::make_unique<KernelProcesses>(without_links(mountpoint));
}

}  // namespace prefixfs::fuse
