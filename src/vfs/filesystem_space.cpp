// fallocate, and lseek for data and holes.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {
namespace {

constexpr int kKeepSize = FALLOC_FL_KEEP_SIZE;
constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
constexpr int kZero = FALLOC_FL_ZERO_RANGE;

bool is_known(int mode) { return mode == 0 || mode == kKeepSize || mode == kPunch || mode == kZero || mode == (kZero | kKeepSize); }

}  // namespace

Result<void> Filesystem::allocate(HandleId id, int mode, std::uint64_t offset, std::uint64_t length, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr) {
    return fail(Errc::internal, "fallocate with an unknown file handle");
  }
  if (!is_known(mode)) {
    return fail(Errc::unsupported, fmt::format("fallocate with mode {}: bytes cannot be moved within an object", mode));
  }
  if (length == 0 || offset + length < offset) {
    return fail(Errc::invalid, "fallocate of nothing, or beyond all offsets");
  }
  const ByteRange range{offset, offset + length};
  TRY(core_->see_newest(*handle->file, caller.context));
  return core_->with_space(caller.context, [&] { return core_->allocate_staged(*handle->file, mode, range, caller); });
}

Result<void> Filesystem::Core::allocate_staged(OpenFile& file, int mode, ByteRange range, const Caller& caller) {
  const std::lock_guard lock(file.mutex);
  if (file.failed) {
    return fail(*file.failed);
  }
  const std::uint64_t size = file.content->file->size();
  const bool grows = (mode & FALLOC_FL_KEEP_SIZE) == 0 && range.end > size;
  const bool zeros = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0 && range.begin < size;
  if (!grows && !zeros) {
    return {};
  }
  if (grows && settings.max_file_bytes && range.end > *settings.max_file_bytes) {
    return fail(Errc::too_large, fmt::format("{} would exceed max_file_size ({} bytes)", file.node.name, *settings.max_file_bytes));
  }
  TRY(own_content_locked(file, std::max(size, range.end)));
  stage::StagedFile& staged = *file.content->file;
  if (grows) {
    TRY(room.with(range.end - size, [&] { return staged.reserve(range.end); }));
  }
  const ByteRange there = range.intersect({0, size});
  const auto zeroed = room.with(there.length(), [&] { return zeros ? staged.zero(there) : Result<void>(); });
  file.appends = false;
  if (caller.uid != 0) {  // the kernel does not say who has CAP_FSETID
    drop_set_id(file.node.posix);
  }
  file.modified_locked(outside.clock.now());
  note_locked(file);
  return zeroed;
}

Result<std::uint64_t> Filesystem::seek(HandleId id, std::uint64_t offset, int whence, const Caller& caller) {
  const auto handle = core_->open_files.handle(id);
  if (handle == nullptr) {
    return fail(Errc::internal, "lseek with an unknown file handle");
  }
  if (whence != SEEK_DATA && whence != SEEK_HOLE) {
    return fail(Errc::invalid, fmt::format("lseek with whence {}", whence));
  }
  TRY(core_->see_newest(*handle->file, caller.context));
  std::shared_ptr<Content> content;
  bool written = false;
  {
    const std::lock_guard lock(handle->file->mutex);
    content = handle->file->content;
    written = handle->file->writers > 0;
  }
  if (content == nullptr) {
    return fail(Errc::stale, "what is open here is lost with a process that has died");
  }
  if (written) {
    // The kernel may have pages of a shared mapping that have not come here yet, so that all must count as data.
    const std::uint64_t size = content->file->size();
    return offset < size ? Result<std::uint64_t>(whence == SEEK_DATA ? offset : size) : fail(Errc::past_end, fmt::format("there is no more at {}", offset));
  }
  const auto found = whence == SEEK_DATA ? content->file->next_data(offset) : content->file->next_hole(offset);
  return found ? Result<std::uint64_t>(*found) : fail(Errc::past_end, fmt::format("there is no more at {}", offset));
}

}  // namespace prefixfs::vfs
