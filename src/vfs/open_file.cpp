#include "open_file.h"

#include <fcntl.h>

#include <algorithm>

namespace prefixfs::vfs {

bool FileHandle::writable() const { return (flags & O_ACCMODE) != O_RDONLY; }

void OpenFile::modified_locked(WallTime now) {
  node.changed_at = now;
  node.posix.mtime_ns = now.time_since_epoch().count();
  explicit_mtime = false;
}

bool OpenFile::used_by_locked(pid_t process) {
  if (process == 0 || std::ranges::find(users, process) != users.end()) {
    return false;
  }
  if (users.size() == kUsersMax) {
    users.erase(users.begin());
  }
  users.push_back(process);
  return true;
}

std::shared_ptr<OpenFile> OpenFiles::find(InodeId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(id);
  return found == files_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<OpenFile>> OpenFiles::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<OpenFile>> files;
  files.reserve(files_.size());
  for (const auto& [id, file] : files_) {
    files.push_back(file);
  }
  return files;
}

std::shared_ptr<OpenFile> OpenFiles::acquire(const meta::Node& node, bool writer) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<OpenFile>& file = files_[node.id];
  if (file == nullptr) {
    file = std::make_shared<OpenFile>(node);
  }
  const std::lock_guard file_lock(file->mutex);
  ++file->handles;
  file->writers += writer ? 1 : 0;
  return file;
}

std::shared_ptr<OpenFile> OpenFiles::restore(const meta::Node& node) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<OpenFile>& file = files_[node.id];
  if (file == nullptr) {
    file = std::make_shared<OpenFile>(node);
  }
  return file;
}

HandleId OpenFiles::add_handle(std::shared_ptr<OpenFile> file, int flags, const ReadAhead& planner, pid_t writer) {
  const std::lock_guard lock(mutex_);
  const HandleId id = next_handle_++;
  handles_.emplace(id, std::make_shared<FileHandle>(std::move(file), flags, planner, writer));
  return id;
}

void OpenFiles::restore_handle(HandleId id, std::shared_ptr<OpenFile> file, int flags, const ReadAhead& planner) {
  const std::lock_guard lock(mutex_);
  handles_.insert_or_assign(id, std::make_shared<FileHandle>(std::move(file), flags, planner, 0));
}

void OpenFiles::number_from(HandleId first) {
  const std::lock_guard lock(mutex_);
  next_handle_ = first;
}

std::shared_ptr<FileHandle> OpenFiles::handle(HandleId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : found->second;
}

OpenFiles::Released OpenFiles::release(HandleId id) {
  const std::lock_guard lock(mutex_);
  const auto found = handles_.find(id);
  if (found == handles_.end()) {
    return Released::file_still_open;
  }
  const std::shared_ptr<FileHandle> handle = found->second;
  if (owes_locked(*handle->file)) {
    return Released::owes_commit;
  }
  handles_.erase(found);
  return drop_locked(handle->file, handle->writable()) ? Released::file_gone : Released::file_still_open;
}

OpenFiles::Released OpenFiles::let_go(const std::shared_ptr<OpenFile>& file) {
  const std::lock_guard lock(mutex_);
  if (owes_locked(*file)) {
    return Released::owes_commit;
  }
  return drop_locked(file, false) ? Released::file_gone : Released::file_still_open;
}

OpenFiles::Released OpenFiles::settle(const std::shared_ptr<OpenFile>& file) {
  const std::lock_guard lock(mutex_);
  const std::lock_guard file_lock(file->mutex);
  if (file->handles == 0 && file->owes_commit_locked()) {
    return Released::owes_commit;
  }
  const auto found = files_.find(file->node.id);
  const bool there = found != files_.end() && found->second == file;
  return there && erase_unused_locked(*file) ? Released::file_gone : Released::file_still_open;
}

bool OpenFiles::owes_locked(const OpenFile& file) {
  const std::lock_guard file_lock(file.mutex);
  return file.handles == 1 && file.owes_commit_locked();
}

void OpenFiles::give_up(const std::shared_ptr<OpenFile>& file, bool writer) {
  const std::lock_guard lock(mutex_);
  drop_locked(file, writer);
}

bool OpenFiles::drop_locked(const std::shared_ptr<OpenFile>& file, bool writer) {
  const std::lock_guard file_lock(file->mutex);
  file->writers -= writer ? 1 : 0;
  --file->handles;
  return erase_unused_locked(*file);
}

bool OpenFiles::erase_unused_locked(const OpenFile& file) {
  if (file.handles > 0 || file.owed != nullptr || !file.moves.empty()) {
    return false;
  }
  files_.erase(file.node.id);
  ++closed_;
  return true;
}

}  // namespace prefixfs::vfs
