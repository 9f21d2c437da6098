#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "local_file.h"
#include "prefixfs/stage/staged_file.h"

namespace prefixfs::stage {

namespace {

/// 0, or an errno. A file system that shares blocks takes a moment for it; elsewhere the valid bytes are copied.
int copy_valid(int from, int to, const FileState& state) {
  if (::ioctl(to, FICLONE, from) != 0) {
    for (const ByteRange& range : state.valid) {
      if (const int error_number = copy_bytes(from, to, range.begin, range.length()); error_number != 0) {
        return error_number;
      }
    }
  }
  return ::ftruncate(to, static_cast<off_t>(state.size)) != 0 ? errno : 0;
}

}  // namespace

Result<std::shared_ptr<StagedFile>> StageDirectory::clone(const StagedFile& file) {
  TRY_ASSIGN(std::shared_ptr<StagedFile> copy, create(0));
  // Held to the end: a write in between would be in the bytes and not in the ranges, or the other way round. Reads go on.
  const std::shared_lock lock(file.mutex_);
  const FileState state = file.state_locked();
  copy->begin_as(state);
  TRY(copy->charge(static_cast<std::int64_t>(copy->cost_of_all())));
  if (const int error_number = copy_valid(file.fd_.get(), copy->fd_.get(), state); error_number != 0) {
    return fail(file_error(error_number, "write to", copy->path_));
  }
  return copy;
}

}  // namespace prefixfs::stage
