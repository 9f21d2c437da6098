#include "local_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs::stage {

namespace {

Errc code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case EFBIG:
      return Errc::too_large;
    case EACCES:
    case EPERM:
      return Errc::denied;
    case EEXIST:
      return Errc::exists;
    default:
      return Errc::io;
  }
}

const char* remedy(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS: return "; choose another cache_dir, or let this user write there";
    case ENOSPC:
    case EDQUOT: return "; free space there, or choose a cache_dir on another disk";
    default: return "";
  }
}

}  // namespace

Error file_error(int error_number, std::string_view action, const std::filesystem::path& path) {
  return Error{code_of(error_number),
               fmt::format("cannot {} {}: {}{}", action, path.native(), std::strerror(error_number), remedy(error_number)), {}};
}

WriteOutcome write_all(int fd, std::uint64_t offset, std::span<const std::byte> data) {
  WriteOutcome outcome;
  while (outcome.written < data.size()) {
    const auto rest = data.subspan(outcome.written);
    const ssize_t n = ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset + outcome.written));
    if (n > 0) {
      outcome.written += static_cast<std::uint64_t>(n);
    } else if (n == 0 || errno != EINTR) {
      outcome.error_number = n == 0 ? EIO : errno;
      break;
    }
  }
  return outcome;
}

std::int64_t read_all(int fd, std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) {
      break;
    }
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return static_cast<std::int64_t>(done);
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return fail(file_error(errno, "sync directory", directory));
  }
  return {};
}

}  // namespace prefixfs::stage
