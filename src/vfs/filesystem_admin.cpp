// What an administrator asks of the mount.

#include <fmt/format.h>

#include <ranges>

#include "core.h"

namespace prefixfs::vfs {

Result<void> Filesystem::discard(meta::IntentId intent, const CallContext& context) { return core_->write_back.discard(intent, context); }

Result<Filesystem::Restored> Filesystem::restore(std::string_view path, s3::RestoreOptions options, const CallContext& context) {
  const Caller administrator{.context = context};
  InodeId id = meta::kRootInode;
  for (const auto part : std::views::split(path, '/')) {
    const std::string_view name(part.begin(), part.end());
    if (!name.empty()) {
      TRY_ASSIGN(const Entry entry, lookup(id, name, administrator));
      id = entry.attributes.id;
    }
  }
  TRY_ASSIGN(const meta::Node node, core_->tree.node(id));
  if (node.kind == NodeKind::directory) {
    return fail(Errc::is_dir, fmt::format("'{}' is a directory; it is files that S3 archives", path));
  }
  const auto open = core_->open_files.find(id);
  TRY_ASSIGN(const Key key, open != nullptr ? Result<Key>(core_->committer.key_of(*open)()) : core_->tree.key_of(node));
  s3::ObjectStore& store = core_->outside.store;
  TRY_ASSIGN(const ObjectInfo before, store.head(key, context));
  if (before.storage_class == "INTELLIGENT_TIERING") {
    options.days.reset();
  }
  Restored restored;
  TRY_ASSIGN(restored.state, store.restore(key, options, context));
  core_->outside.log.info("an administrator has asked for {} to be restored ({})", key.str(), options.tier);
  if (restored.state == s3::RestoreState::restored) {
    TRY_ASSIGN(const ObjectInfo now, store.head(key, context));
    restored.until = s3::restored_until(now);
  }
  return restored;
}

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
