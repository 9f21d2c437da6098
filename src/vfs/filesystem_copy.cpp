// copy_file_range: a file becomes a copy of another within S3.

#include "core.h"

namespace prefixfs::vfs {

Result<std::optional<std::uint64_t>> Filesystem::copy_range(const Stretch& from, const Stretch& to, std::uint64_t length, const Caller& caller) {
  const auto source = core_->open_files.handle(from.handle);
  const auto target = core_->open_files.handle(to.handle);
  if (source == nullptr || target == nullptr) {
    return fail(Errc::internal, "copy_file_range with an unknown file handle");
  }
  TRY_ASSIGN(const SubtreeGate::Pass pass,
             core_->gate.change({{Core::inode_of(*source->file), {}}, {Core::inode_of(*target->file), {}}}, caller.context));
  TRY(core_->see_newest(*source->file, caller.context));
  TRY(core_->see_newest(*target->file, caller.context));
  const auto whole = core_->stored_whole(*source->file);
  const std::optional<std::uint64_t> by_its_bytes;
  const auto& size_max = core_->settings.max_file_bytes;
  if (from.offset != 0 || to.offset != 0 || source->file == target->file || !whole || length < whole->size || (size_max && whole->size > *size_max)) {
    return by_its_bytes;
  }
  const auto copied = core_->write_back.copy(*target->file, *whole, caller.context);
  if (!copied || !*copied) {
    return by_its_bytes;  // whoever does that is told why S3 cannot be reached, or the disk is full
  }
  const std::lock_guard lock(target->file->mutex);
  core_->room.watch(target->file->content);
  return std::optional(whole->size);
}

/// The version that S3 has of a file which holds nothing else.
std::optional<Committer::CopyFrom> Filesystem::Core::stored_whole(OpenFile& file) const {
  Committer::CopyFrom from{.key = committer.key_of(file)(), .version = {}, .size = 0};
  const std::lock_guard lock(file.mutex);
  const bool elsewhere = file.unlinked || file.stale || file.failed || file.owed != nullptr || !file.moves.empty();
  if (elsewhere || file.needs_commit_locked() || file.content == nullptr || file.content->file->changed() || file.node.etag.empty()) {
    return std::nullopt;
  }
  const std::lock_guard content_lock(file.content->mutex);
  from.version = file.content->etag;
  from.size = file.content->file->size();
  return from.size > 0 && from.version == file.node.etag ? std::optional(std::move(from)) : std::nullopt;
}

}  // namespace prefixfs::vfs
