#include "directory_handles.h"

namespace prefixfs::vfs {
namespace {

// More than the kernel ever asks to go back: it holds one reply of at most a few thousand names.
constexpr std::size_t kRememberedNames = 16384;

}  // namespace

void DirectoryHandle::remember(InodeId id, const std::string& name) {
  if (given.insert_or_assign(id, name).second) {
    order.push_back(id);
  }
  if (order.size() > kRememberedNames) {
    given.erase(order.front());
    order.pop_front();
  }
}

HandleId DirectoryHandles::open(InodeId directory) {
  const std::lock_guard lock(mutex_);
  const HandleId id = next_++;
  handles_.emplace(id, std::make_shared<DirectoryHandle>(directory));
  return id;
}

void DirectoryHandles::restore(HandleId id, InodeId directory) {
  const std::lock_guard lock(mutex_);
  handles_.insert_or_assign(id, std::make_shared<DirectoryHandle>(directory, true));
}

void DirectoryHandles::number_from(HandleId first) {
  const std::lock_guard lock(mutex_);
  next_ = first;
}

std::shared_ptr<DirectoryHandle> DirectoryHandles::find(HandleId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : found->second;
}

void DirectoryHandles::close(HandleId id) {
  const std::lock_guard lock(mutex_);
  handles_.erase(id);
}

}  // namespace prefixfs::vfs
