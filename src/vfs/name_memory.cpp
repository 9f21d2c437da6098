#include "name_memory.h"

#include <algorithm>

namespace prefixfs::vfs {

std::string AbsentNames::id_of(InodeId parent, std::string_view name) { return std::to_string(parent) + "/" + std::string(name); }

void AbsentNames::add(InodeId parent, std::string_view name, WallTime seen) {
  const std::lock_guard lock(mutex_);
  std::string id = id_of(parent, name);
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    order_.erase(found->second);
    by_id_.erase(found);
  }
  order_.push_back({id, seen});
  by_id_.emplace(std::move(id), std::prev(order_.end()));
  if (order_.size() > names_max_) {
    by_id_.erase(order_.front().id);
    order_.pop_front();
  }
}

void AbsentNames::remove(InodeId parent, std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(id_of(parent, name)); found != by_id_.end()) {
    order_.erase(found->second);
    by_id_.erase(found);
  }
}

WallTime AbsentNames::seen(InodeId parent, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id_of(parent, name));
  return found == by_id_.end() ? WallTime{} : found->second->seen;
}

void AbsentNames::hold(InodeId parent, std::string_view name, std::uint64_t removal) {
  const std::lock_guard lock(mutex_);
  held_[id_of(parent, name)] = removal;
}

void AbsentNames::let_go(InodeId parent, std::string_view name, std::uint64_t removal) {
  const std::lock_guard lock(mutex_);
  if (const auto found = held_.find(id_of(parent, name)); found != held_.end() && found->second == removal) {
    held_.erase(found);
  }
}

std::optional<std::uint64_t> AbsentNames::held(InodeId parent, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(id_of(parent, name));
  return found == held_.end() ? std::nullopt : std::optional(found->second);
}

void DirectoriesRead::add(InodeId directory, WallTime began, WallTime until) {
  const std::lock_guard lock(mutex_);
  if (readers_.size() >= kDirectoriesMax) {
    readers_.clear();
  }
  std::vector<Reader>& readers = readers_[directory];
  std::erase_if(readers, [&](const Reader& reader) { return reader.began == began || reader.until <= began; });
  if (readers.size() >= kReadersMax) {
    readers.erase(readers.begin());
  }
  readers.push_back({began, until});
}

bool DirectoriesRead::believed(InodeId directory, WallTime confirmed, WallTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = readers_.find(directory);
  return found != readers_.end() &&
         std::ranges::any_of(found->second, [&](const Reader& reader) { return now < reader.until && confirmed >= reader.began; });
}

bool DirectoriesRead::contains(InodeId directory) const {
  const std::lock_guard lock(mutex_);
  return readers_.contains(directory);
}

void DirectoriesStoredInto::add(InodeId directory, WallTime stored) {
  const std::lock_guard lock(mutex_);
  if (last_.size() >= kDirectoriesMax) {
    last_.clear();
  }
  last_[directory] = stored;
}

WallTime DirectoriesStoredInto::last(InodeId directory) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_.find(directory);
  return found == last_.end() ? WallTime{} : found->second;
}

void NamelessFiles::add(const meta::Node& file) {
  const std::lock_guard lock(mutex_);
  files_.push_front(file);
  if (files_.size() > files_max_) {
    files_.pop_back();
  }
}

std::optional<meta::Node> NamelessFiles::find(InodeId file) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(files_, file, &meta::Node::id);
  return found == files_.end() ? std::nullopt : std::optional(*found);
}

bool UnknownNamePredictor::expects_object(InodeId directory) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_.find(directory);
  return found != last_.end() && found->second;
}

void UnknownNamePredictor::learn(InodeId directory, bool was_object) {
  const std::lock_guard lock(mutex_);
  if (last_.size() >= kDirectoriesMax) {
    last_.clear();
  }
  last_[directory] = was_object;
}

std::optional<std::string> NameOrder::before(InodeId directory, std::string_view name, WallTime now, std::chrono::nanoseconds pause_max) const {
  const std::lock_guard lock(mutex_);
  const auto last = last_.find(directory);
  const bool in_order = last != last_.end() && last->second.in_order >= kInOrder && last->second.leads_to(name, now, pause_max);
  return in_order ? std::optional(last->second.name) : std::nullopt;
}

void NameOrder::add(InodeId directory, std::string_view name, WallTime now, std::chrono::nanoseconds pause_max) {
  const std::lock_guard lock(mutex_);
  if (last_.size() >= kDirectoriesMax) {
    last_.clear();
  }
  Last& last = last_[directory];
  last.in_order = last.leads_to(name, now, pause_max) ? std::min(last.in_order + 1, kInOrder) : 1;
  last.name = std::string(name);
  last.at = now;
}

void LargeDirectories::add(InodeId directory) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kDirectoriesMax) {
    known_.clear();
  }
  known_.insert(directory);
}

bool LargeDirectories::contains(InodeId directory) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(directory);
}

void UntoldVersions::add(InodeId inode) {
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(inode)) {
    return;
  }
  order_.push_back(inode);
  by_id_.emplace(inode, std::prev(order_.end()));
  if (order_.size() > files_max_) {
    by_id_.erase(order_.front());
    order_.pop_front();
  }
}

void UntoldVersions::remove(InodeId inode) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_id_.find(inode); found != by_id_.end()) {
    order_.erase(found->second);
    by_id_.erase(found);
  }
}

bool UntoldVersions::contains(InodeId inode) const {
  const std::lock_guard lock(mutex_);
  return by_id_.contains(inode);
}

}  // namespace prefixfs::vfs
