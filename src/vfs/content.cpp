#include "content.h"

namespace prefixfs::vfs {

std::shared_ptr<Content> ContentCache::take(InodeId id, const ETag& etag) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    return nullptr;
  }
  std::shared_ptr<Content> content = found->second->content;
  drop_locked(found->second);
  return content->etag == etag ? content : nullptr;
}

std::shared_ptr<Content> ContentCache::peek(InodeId id, const ETag& etag) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->content->etag != etag) {
    return nullptr;
  }
  return found->second->content;
}

void ContentCache::put(InodeId id, std::shared_ptr<Content> content) {
  const std::uint64_t bytes = content->file->allocated_bytes();
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    drop_locked(found->second);
  }
  order_.push_back({id, std::move(content), bytes});
  by_id_[id] = std::prev(order_.end());
  bytes_ += bytes;
  while (!order_.empty() && (bytes_ > bytes_max_ || order_.size() > files_max_)) {
    drop_locked(order_.begin());
  }
}

void ContentCache::drop(InodeId id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    drop_locked(found->second);
  }
}

void ContentCache::make_room(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  while (!order_.empty() && bytes_ + bytes > bytes_max_) {
    drop_locked(order_.begin());
  }
}

void ContentCache::drop_locked(std::list<Kept>::iterator kept) {
  bytes_ -= kept->bytes;
  by_id_.erase(kept->id);
  order_.erase(kept);
}

}  // namespace prefixfs::vfs
