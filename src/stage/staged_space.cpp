// How long a staged file is, zeros of it that take no space, and space that is taken before it is used.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "local_file.h"
#include "prefixfs/stage/staged_file.h"
#include "staged_log.h"

namespace prefixfs::stage {
namespace {

constexpr std::size_t kZerosBytes = 64 << 10;

/// 0, or an errno.
int allocate(int fd, int mode, ByteRange range) {
  int error_number = 0;
  do {
    error_number = ::fallocate(fd, mode, static_cast<off_t>(range.begin), static_cast<off_t>(range.length())) == 0 ? 0 : errno;
  } while (error_number == EINTR);
  return error_number;
}

int write_zeros(int fd, ByteRange range) {
  static constexpr std::array<std::byte, kZerosBytes> kZeros{};
  for (std::uint64_t at = range.begin; at < range.end; at += kZeros.size()) {
    const auto piece = std::span(kZeros).first(std::min<std::uint64_t>(kZeros.size(), range.end - at));
    if (const WriteOutcome outcome = write_all(fd, at, piece); outcome.error_number != 0) {
      return outcome.error_number;
    }
  }
  return 0;
}

}  // namespace

Result<void> StagedFile::resize(std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  return resize_locked(size, Space::when_written);
}

Result<void> StagedFile::resize_locked(std::uint64_t size, Space space) {
  if (size > kFileBytesMax) {
    return fail(Errc::too_large, fmt::format("{} bytes are more than a local file can hold", size));
  }
  if (size == size_) {
    return {};
  }
  const ByteRange added{size_, size};
  if (!added.empty()) {
    TRY(charge(cost_of(added)));
  }
  if (const auto taken = space == Space::now ? take_space(added) : Result<void>(); !taken) {
    recharge();
    return taken;
  }
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    const int error_number = errno;
    recharge();
    return fail(file_error(error_number, "resize", path_));
  }
  if (added.empty()) {
    valid_.remove({size, size_});
    dirty_.remove({size, size_});
    base_size_ = std::min(base_size_, size);
    recharge();
  } else {
    valid_.add(added);
    dirty_.add(added);
  }
  touched_.add({std::min(size, size_), std::max(size, size_)});
  size_ = size;
  ++changes_;
  log_change(static_cast<int>(StagedLog::Change::resized), {size, 0});
  return {};
}

Result<void> StagedFile::zero(ByteRange range) {
  const std::unique_lock lock(mutex_);
  range = range.intersect({0, size_});
  if (range.empty()) {
    return {};
  }
  TRY(charge(cost_of(range)));
  int error_number = allocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, range);
  error_number = error_number == EOPNOTSUPP ? write_zeros(fd_.get(), range) : error_number;
  if (error_number != 0) {
    undo_failed_write(range);
    return fail(file_error(error_number, "make a hole in", path_));
  }
  valid_.add(range);
  dirty_.add(range);
  touched_.add(range);
  ++changes_;
  log_change(static_cast<int>(StagedLog::Change::written), range);
  return {};
}

Result<void> StagedFile::reserve(std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  return size > size_ ? resize_locked(size, Space::now) : Result<void>();
}

/// Behind the end of the local file; what has been taken goes where not all of it can be.
Result<void> StagedFile::take_space(ByteRange added) {
  const int error_number = added.empty() ? 0 : allocate(fd_.get(), FALLOC_FL_KEEP_SIZE, added);
  if (error_number == 0 || error_number == EOPNOTSUPP) {
    return {};
  }
  if (::ftruncate(fd_.get(), static_cast<off_t>(added.begin)) != 0) {
    // It keeps some blocks too many until it goes.
  }
  return fail(file_error(error_number, "reserve space for", path_));
}

std::optional<std::uint64_t> StagedFile::next_data(std::uint64_t offset) const {
  const std::shared_lock lock(mutex_);
  for (const ByteRange& here : valid_.parts({offset, size_})) {
    if (here.begin > offset) {
      break;  // a piece of the stored version
    }
    // The local file is as long, so ENXIO is a hole up to its end. Where nobody knows of holes there are none.
    const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    const std::uint64_t none = errno == ENXIO ? size_ : offset;
    const std::uint64_t begin = data < 0 ? none : static_cast<std::uint64_t>(data);
    if (begin < here.end) {
      return begin;
    }
    offset = here.end;
  }
  return offset < size_ ? std::optional(offset) : std::nullopt;
}

std::optional<std::uint64_t> StagedFile::next_hole(std::uint64_t offset) const {
  const std::shared_lock lock(mutex_);
  if (offset >= size_) {
    return std::nullopt;
  }
  for (const ByteRange& here : valid_.parts({offset, size_})) {
    const off_t hole = ::lseek(fd_.get(), static_cast<off_t>(here.begin), SEEK_HOLE);
    if (hole >= 0 && static_cast<std::uint64_t>(hole) < here.end) {
      return static_cast<std::uint64_t>(hole);
    }
  }
  return size_;
}

}  // namespace prefixfs::stage
