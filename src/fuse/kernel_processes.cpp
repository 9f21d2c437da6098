#include "descriptors.h"
#include "open_intent.h"
#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {
namespace {

class KernelProcesses final : public vfs::Processes {
 public:
  pid_t process_of(pid_t thread) const override { return fuse::process_of(thread); }
  bool has_descriptor(pid_t process, meta::InodeId inode) const override { return fuse::has_descriptor(process, inode); }
  vfs::LookupIntent intent_of(pid_t thread, std::string_view name) const override { return fuse::intent_of(thread, name); }
};

}  // namespace

std::unique_ptr<vfs::Processes> make_processes() { return std::make_unique<KernelProcesses>(); }

}  // namespace prefixfs::fuse
