#include "prefixfs/base/environment.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

Errc code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return Errc::not_found;
    case EACCES:
    case EPERM: return Errc::denied;
    default: return Errc::io;
  }
}

/// From the user database.
std::optional<std::string> home_directory() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr || *found->pw_dir == '\0') {
    return std::nullopt;
  }
  return found->pw_dir;
}

std::unexpected<Error> cannot_read(const std::string& path, int error_number) {
  return fail(code_of(error_number), fmt::format("cannot read {}: {}", path, std::generic_category().message(error_number)));
}

}  // namespace

std::optional<std::string> ProcessEnvironment::get(std::string_view name) const {
  // Safe in threads because nothing in prefixfs calls setenv.
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') {
    return name == "HOME" ? home_directory() : std::nullopt;
  }
  return value;
}

Result<std::string> SystemFileReader::read(const std::string& path) const {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return cannot_read(path, errno);
  }
  // The size is learnt by reading: files under /proc and pipes report 0.
  std::string text;
  char chunk[16384];
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk, sizeof(chunk));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return cannot_read(path, errno);
    }
    if (count == 0) {
      return text;
    }
    text.append(chunk, static_cast<std::size_t>(count));
    if (text.size() > kFileBytesMax) {
      return fail(Errc::too_large, fmt::format("{} is larger than 1 MiB", path));
    }
  }
}

}  // namespace prefixfs
