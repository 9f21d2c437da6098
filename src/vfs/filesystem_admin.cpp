// What an administrator asks of the mount.

#include "core.h"

namespace prefixfs::vfs {

Result<void> Filesystem::discard(meta::IntentId intent, const CallContext& context) { return core_->write_back.discard(intent, context); }

bool Filesystem::list_was_refused() const { return core_->rights.list_was_refused(); }

std::uint64_t Filesystem::escaped_names() const { return core_->lister.escaped(); }

FileCondition Filesystem::condition(InodeId id) const {
  const auto file = core_->open_files.find(id);
  if (file == nullptr) {
    return {};
  }
  FileCondition condition;
  std::vector<meta::IntentId> owed;
  {
    const std::lock_guard lock(file->mutex);
    owed = file->intents;
    condition.last_error = file->failed;
    if (file->failed && file->failed->code == Errc::stale) {
      condition.state = FileState::conflict;
    } else if (!file->intents.empty()) {
      condition.state = FileState::owed;
    } else if (file->writers > 0 || file->needs_commit_locked()) {
      condition.state = FileState::open;
    }
  }
  if (!owed.empty() && condition.state != FileState::conflict) {
    const auto progress = core_->write_back.progress_of(owed);
    condition.state = progress.parked ? FileState::parked : condition.state;
    condition.last_error = condition.last_error ? condition.last_error : progress.last_error;
  }
  return condition;
}

}  // namespace prefixfs::vfs
