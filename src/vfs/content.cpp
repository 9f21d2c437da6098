#include "content.h"

#include <algorithm>
#include <utility>

namespace prefixfs::vfs {
namespace {

// So much of a file is given back at a time: whole blocks, and no more of a large file than is needed.
constexpr std::uint64_t kSliceBytes = 1 << 20;
// What is fetched to be opened a moment later must find its place in any cache, and in none.
constexpr std::uint64_t kUnopenedBytes = 1 << 20;

}  // namespace

std::uint64_t Content::give_back(ByteRange range, std::uint64_t enough) {
  const std::lock_guard lock(mutex);
  const std::lock_guard nobody_pins(pins_mutex);
  if (irreplaceable) {
    return 0;
  }
  range = range.intersect({0, file->size()});
  stage::RangeSet stays;  // or is not here
  for (const ByteRange& pin : pinned) {
    stays.add(pin);
  }
  for (const ByteRange& gap : file->missing(range)) {
    stays.add(gap);
  }
  const std::uint64_t before = file->allocated_bytes();
  std::uint64_t freed = 0;
  for (const ByteRange& free : stays.gaps(range)) {
    for (std::uint64_t begin = free.begin; begin < free.end && freed < enough;) {
      const std::uint64_t end = std::min(free.end, (begin / kSliceBytes + 1) * kSliceBytes);
      file->drop_clean({begin, end});
      const std::uint64_t now = file->allocated_bytes();
      freed = before > now ? before - now : 0;
      begin = end;
    }
  }
  return freed;
}

Pin::Pin(std::shared_ptr<Content> content, ByteRange range) : content_(std::move(content)), range_(range) {
  const std::lock_guard lock(content_->pins_mutex);
  content_->pinned.push_back(range_);
}

Pin::~Pin() {
  if (content_ == nullptr) {
    return;
  }
  const std::lock_guard lock(content_->pins_mutex);
  const auto mine = std::ranges::find(content_->pinned, range_);
  std::iter_swap(mine, std::prev(content_->pinned.end()));
  content_->pinned.pop_back();
}

Pin& Pin::operator=(Pin&& other) noexcept {
  std::swap(content_, other.content_);
  std::swap(range_, other.range_);
  return *this;
}

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
  const std::uint64_t most = content->opened ? bytes_max_ : std::max(bytes_max_, kUnopenedBytes);
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    drop_locked(found->second);
  }
  order_.push_back({id, std::move(content), bytes});
  by_id_[id] = std::prev(order_.end());
  bytes_ += bytes;
  while (!order_.empty() && (bytes_ > most || order_.size() > files_max_)) {
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

std::uint64_t ContentCache::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  std::uint64_t freed = 0;
  while (!order_.empty() && freed < bytes) {
    freed += order_.front().bytes;
    drop_locked(order_.begin());
  }
  return freed;
}

void ContentCache::drop_locked(std::list<Kept>::iterator kept) {
  bytes_ -= kept->bytes;
  by_id_.erase(kept->id);
  order_.erase(kept);
}

}  // namespace prefixfs::vfs
