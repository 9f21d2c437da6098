#include "local_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs::stage {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kCopyBytes = 1 << 20;
constexpr std::uint64_t kCopyCallBytes = 1 << 30;  // that one call is asked for

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
    case EMFILE:
    case ENFILE:
      return Errc::too_many_open;
    default:
      return Errc::io;
  }
}

const char* remedy(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS: return "; choose another cache_dir, or let this user write there";
    case ENOTDIR: return "; choose another cache_dir";
    case EMFILE: return "; give the daemon more descriptors (ulimit -n, LimitNOFILE=)";
    case ENOSPC:
    case EDQUOT: return "; free space there, or choose a cache_dir on another disk";
    default: return "";
  }
}

/// Where the target lies a few bytes further in its page than the source in its own, AMD processors since Zen 3 take five times as long for the copy that pread is
/// ("rep movsb"). What malloc maps for a large buffer, as that of libcurl, begins 16 bytes behind the beginning of a page.
bool copies_slowly(std::uint64_t offset, const std::byte* target) {
  constexpr std::uint64_t kSlowBytes = 32;
  const std::uint64_t behind = (reinterpret_cast<std::uintptr_t>(target) - offset) % kPageBytes;
  return behind != 0 && behind < kSlowBytes;
}

/// As read_all, by way of memory at a better place.
std::int64_t read_through_memory(int fd, std::uint64_t offset, std::span<std::byte> out) {
  constexpr std::size_t kPieceBytes = 16 << 10;
  alignas(kPageBytes) std::array<std::byte, kPieceBytes + kPageBytes> memory;
  std::byte* const place = memory.data() + (offset + kPageBytes / 2) % kPageBytes;  // half a page from either
  std::size_t done = 0;
  while (done < out.size()) {
    const auto rest = out.subspan(done);
    const std::int64_t n = read_all(fd, offset + done, {place, std::min(rest.size(), kPieceBytes)});
    if (n <= 0) {
      return n < 0 ? n : static_cast<std::int64_t>(done);
    }
    std::copy_n(place, n, rest.begin());
    done += static_cast<std::size_t>(n);
  }
  return static_cast<std::int64_t>(done);
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
  if (out.size() > kPageBytes && copies_slowly(offset, out.data())) {
    return read_through_memory(fd, offset, out);
  }
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

int copy_bytes(int from, int to, std::uint64_t offset, std::uint64_t length) {
  auto in = static_cast<off_t>(offset);
  auto out = in;
  while (length > 0) {
    const ssize_t n = ::copy_file_range(from, &in, to, &out, std::min(length, kCopyCallBytes), 0);
    if (n > 0) {
      length -= static_cast<std::uint64_t>(n);
    } else if (n == 0 || errno != EINTR) {
      // Old kernels and some file systems cannot; where it is another error, the plain calls meet it again.
      return copy_through_memory(from, to, static_cast<std::uint64_t>(in), length);
    }
  }
  return 0;
}

int copy_through_memory(int from, int to, std::uint64_t offset, std::uint64_t length) {
  std::vector<std::byte> buffer(std::min(length, kCopyBytes));
  while (length > 0) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(length, buffer.size()));
    const std::int64_t n = read_all(from, offset, piece);
    if (n < 0) {
      return errno;
    }
    if (static_cast<std::size_t>(n) != piece.size()) {
      return EIO;  // somebody has cut the file
    }
    if (const WriteOutcome outcome = write_all(to, offset, piece); outcome.error_number != 0) {
      return outcome.error_number;
    }
    offset += piece.size();
    length -= piece.size();
  }
  return 0;
}

int move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL) {
    return errno;
  }
  // A file system without RENAME_NOREPLACE: link() does not overwrite either.
  if (::link(from.c_str(), to.c_str()) != 0) {
    return errno;
  }
  ::unlink(from.c_str());
  return 0;
}

Result<std::vector<std::string>> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) {
    return fail(file_error(error.value(), "read directory", directory));
  }
  std::ranges::sort(names);
  return names;
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return fail(file_error(errno, "sync directory", directory));
  }
  return {};
}

}  // namespace prefixfs::stage
