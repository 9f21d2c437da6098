#include "handle_records.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace prefixfs::fuse {
namespace {

void set_version(HandleRecord& record, const std::string& version) {
  const bool fits = version.size() <= kVersionBytesMax;
  record.version_bytes = fits ? static_cast<std::uint8_t>(version.size()) : kVersionUnknown;
  std::memcpy(record.version, version.data(), fits ? version.size() : 0);
}

HandleState state_of(const vfs::OpenState& seen) {
  if (seen.unstored) {
    return HandleState::unstored;
  }
  return seen.owed ? HandleState::owed : HandleState::stored;
}

/// One that did not fit is equal to none.
ETag version_of(const HandleRecord& record) {
  const bool known = record.version_bytes != kVersionUnknown;
  return ETag::from_wire(known ? std::string_view(record.version, record.version_bytes) : "?");
}

}  // namespace

HandleRecords::HandleRecords(std::span<HandleRecord> records, std::atomic<std::uint64_t>& used, Look look)
    : records_(records), used_(used), look_(std::move(look)) {
  for (std::size_t place = 0; place < used_; ++place) {
    const HandleRecord& record = records_[place];
    switch (record.kind) {
      case HandleKind::none: free_.push_back(place); break;
      case HandleKind::directory: directories_.emplace(record.handle, place); break;
      case HandleKind::file:
        files_.emplace(record.handle, place);
        if (record.state != HandleState::dead) {
          by_inode_.emplace(record.inode, place);
        }
        unstored_ += record.state == HandleState::unstored ? 1 : 0;
        break;
    }
  }
}

void HandleRecords::forget_unanswered(const std::function<bool(std::uint64_t)>& unanswered) {
  std::vector<std::pair<HandleKind, vfs::HandleId>> unknown;
  for (const auto* handles : {&files_, &directories_}) {
    for (const auto& [handle, place] : *handles) {
      if (unanswered(records_[place].request)) {
        unknown.emplace_back(records_[place].kind, handle);
      }
    }
  }
  for (const auto& [kind, handle] : unknown) {
    remove(kind, handle);
  }
}

std::vector<vfs::OpenBefore> HandleRecords::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<vfs::OpenBefore> files;
  for (const auto& [handle, place] : files_) {
    const HandleRecord& record = records_[place];
    files.push_back({.handle = handle,
                     .inode = record.inode,
                     .flags = static_cast<int>(record.flags),
                     .state = {.version = version_of(record),
                               .unstored = record.state == HandleState::unstored,
                               .owed = record.state == HandleState::owed},
                     .dead = record.state == HandleState::dead});
  }
  return files;
}

std::vector<std::pair<vfs::HandleId, vfs::InodeId>> HandleRecords::directories() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<vfs::HandleId, vfs::InodeId>> directories;
  for (const auto& [handle, place] : directories_) {
    directories.emplace_back(handle, records_[place].inode);
  }
  return directories;
}

void HandleRecords::died(vfs::HandleId handle) {
  const std::lock_guard lock(mutex_);
  const std::size_t place = files_.at(handle);
  HandleRecord& record = records_[place];
  unstored_ -= record.state == HandleState::unstored ? 1 : 0;
  record.state = HandleState::dead;
  leave_inode_locked(record.inode, place);
}

void HandleRecords::opened(vfs::HandleId handle, vfs::InodeId inode, int flags, std::uint64_t request) {
  const std::lock_guard order(order_of(inode));
  if (add({HandleKind::file, handle, inode, flags, request})) {
    refresh_locked(inode);
  }
}

void HandleRecords::opened_directory(vfs::HandleId handle, vfs::InodeId inode, std::uint64_t request) {
  add({HandleKind::directory, handle, inode, 0, request});
}
void HandleRecords::closed(vfs::HandleId handle) { remove(HandleKind::file, handle); }
void HandleRecords::closed_directory(vfs::HandleId handle) { remove(HandleKind::directory, handle); }

void HandleRecords::changed(vfs::InodeId inode) {
  const std::lock_guard order(order_of(inode));
  refresh_locked(inode);
}

void HandleRecords::written(vfs::InodeId inode) {
  const std::lock_guard order(order_of(inode));
  if (!is_unstored(inode)) {
    refresh_locked(inode);
  }
}

void HandleRecords::names_changed() {
  std::set<vfs::InodeId> inodes;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [inode, place] : by_inode_) {
      inodes.insert(inode);
    }
  }
  for (const vfs::InodeId inode : inodes) {
    changed(inode);
  }
}

bool HandleRecords::is_unstored(vfs::InodeId inode) const {
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = by_inode_.equal_range(inode);
  return begin != end && std::all_of(begin, end, [&](const auto& entry) { return records_[entry.second].state == HandleState::unstored; });
}

bool HandleRecords::any_unstored() const {
  const std::lock_guard lock(mutex_);
  return unstored_ > 0;
}

bool HandleRecords::add(const Made& made) {
  const std::lock_guard lock(mutex_);
  if (free_.empty() && used_ == records_.size()) {
    return false;
  }
  if (free_.empty()) {
    free_.push_back(used_);
    ++used_;
  }
  const std::size_t place = free_.back();
  free_.pop_back();
  HandleRecord& record = records_[place];
  record.flags = static_cast<std::uint32_t>(made.flags);
  record.handle = made.handle;
  record.inode = made.inode;
  record.request = made.request & ~kResentBit;
  record.state = HandleState::stored;
  record.version_bytes = kVersionUnknown;
  record.kind = made.kind;
  if (made.kind == HandleKind::file) {
    by_inode_.emplace(made.inode, place);
  }
  (made.kind == HandleKind::file ? files_ : directories_).emplace(made.handle, place);
  return true;
}

void HandleRecords::remove(HandleKind kind, vfs::HandleId handle) {
  const std::lock_guard lock(mutex_);
  auto& handles = kind == HandleKind::file ? files_ : directories_;
  const auto known = handles.find(handle);
  if (known == handles.end()) {
    return;
  }
  HandleRecord& record = records_[known->second];
  record.kind = HandleKind::none;
  unstored_ -= kind == HandleKind::file && record.state == HandleState::unstored ? 1 : 0;
  leave_inode_locked(record.inode, known->second);
  free_.push_back(known->second);
  handles.erase(known);
}

void HandleRecords::leave_inode_locked(vfs::InodeId inode, std::size_t place) {
  const auto [begin, end] = by_inode_.equal_range(inode);
  const auto mine = std::find_if(begin, end, [&](const auto& entry) { return entry.second == place; });
  if (mine != end) {
    by_inode_.erase(mine);
  }
}

void HandleRecords::refresh_locked(vfs::InodeId inode) {
  const std::optional<vfs::OpenState> seen = look_(inode);
  if (!seen) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = by_inode_.equal_range(inode);
  std::for_each(begin, end, [&](const auto& entry) {
    HandleRecord& record = records_[entry.second];
    const HandleState state = state_of(*seen);
    unstored_ -= record.state == HandleState::unstored ? 1 : 0;
    unstored_ += state == HandleState::unstored ? 1 : 0;
    if (state == HandleState::unstored) {
      record.state = state;  // before the version, which nobody reads then
    }
    set_version(record, seen->version.str());
    record.state = state;
  });
}

}  // namespace prefixfs::fuse
