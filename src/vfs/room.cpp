#include "room.h"

#include <algorithm>

#include "prefixfs/base/wait_within.h"

namespace prefixfs::vfs {
namespace {

// Not for every few bytes anew.
constexpr std::uint64_t kStepBytes = 1 << 20;

}  // namespace

void Room::watch(const std::shared_ptr<Content>& content) {
  if (content->watched.exchange(true)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(open_, [](const std::weak_ptr<Content>& known) { return known.expired(); });
  open_.push_back(content);
}

void Room::keep_limit(Content& content, std::uint64_t bytes, std::uint64_t behind) {
  const std::uint64_t local = content.file->allocated_bytes();
  closed_.make_room(local + bytes);
  if (local + bytes > closed_.bytes_max()) {
    content.give_back({0, behind}, kWholeFile.end);
  }
}

Room::Storing::Storing(Room& room) : room_(room) {
  const std::lock_guard lock(room_.storing_mutex_);
  ++room_.storing_;
}

Room::Storing::~Storing() {
  const std::lock_guard lock(room_.storing_mutex_);
  --room_.storing_;
  ++room_.times_stored_;
  room_.stored_.notify_all();
}

std::uint64_t Room::times_stored() {
  const std::lock_guard lock(storing_mutex_);
  return times_stored_;
}

bool Room::wait_for_stored(std::uint64_t times_before, const CallContext& context) {
  std::unique_lock lock(storing_mutex_);
  const auto once_more = [&] { return times_stored_ != times_before; };
  return once_more() || (storing_ > 0 && wait_within(stored_, lock, context, once_more));
}

/// True when something was given back.
bool Room::make(std::uint64_t bytes) {
  const std::uint64_t enough = std::max(bytes, kStepBytes);
  const std::lock_guard lock(mutex_);
  std::uint64_t freed = closed_.give_back(enough);
  for (std::size_t left = open_.size(); left > 0 && freed < enough; --left) {
    const std::weak_ptr<Content> next = std::move(open_.front());
    open_.pop_front();
    if (const std::shared_ptr<Content> content = next.lock()) {
      freed += content->give_back(kWholeFile, enough - freed);
      open_.push_back(next);
    }
  }
  return freed > 0;
}

}  // namespace prefixfs::vfs
