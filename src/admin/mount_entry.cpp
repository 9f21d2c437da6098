#include "prefixfs/admin/mount_entry.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "prefixfs/base/environment.h"
#include "prefixfs/base/fields.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::admin {
namespace {

std::unexpected<Error> failed(std::string_view action, const std::string& path, int error_number) {
  const Errc code = error_number == EACCES || error_number == EPERM || error_number == EROFS ? Errc::denied
                    : error_number == ENOSPC                                               ? Errc::no_space
                                                                                           : Errc::io;
  return fail(code, fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error_number)));
}

/// "/srv/my files" -> "srv-my%20files": one name for each mountpoint.
std::string entry_path(const std::string& directory, const std::string& mountpoint) {
  std::string name;
  for (const char letter : mountpoint.substr(mountpoint.starts_with('/') ? 1 : 0)) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
                       letter == '_' || (letter == '.' && !name.empty());
    if (letter == '/') {
      name += '-';
    } else {
      name += plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  return directory + "/" + (name.empty() ? "-" : name);
}

}  // namespace

std::string real_mountpoint(const std::string& mountpoint) {
  // realpath(3) of glibc asks each component only whether it is a link, which the kernel answers without the file system behind a mountpoint.
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(mountpoint.c_str(), nullptr), &::free);
  return real == nullptr ? mountpoint : std::string(real.get());
}

Result<void> enter_mount(const std::string& directory, const MountEntry& entry) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return failed("make directory", directory, error.value());
  }
  const std::string path = entry_path(directory, entry.mountpoint);
  const std::string next = fmt::format("{}~{}", path, ::getpid());
  const std::string text = Fields{{"mountpoint", entry.mountpoint}, {"cache_dir", entry.cache_dir}}.text();
  {
    const UniqueFd fd(::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return failed("write", next, errno);
    }
  }
  if (::rename(next.c_str(), path.c_str()) != 0) {
    return failed("replace", path, errno);
  }
  return {};
}

Result<MountEntry> find_mount(const std::string& directory, const std::string& mountpoint) {
  const std::string path = entry_path(directory, mountpoint);
  TRY_ASSIGN(const std::string text, SystemFileReader().read(path));
  const auto fields = Fields::parse(text);
  if (!fields || fields->get("mountpoint") != mountpoint || !fields->get("cache_dir").starts_with('/')) {
    return fail(Errc::io, path + " does not say which cache directory the mount has");
  }
  return MountEntry{fields->get("mountpoint"), fields->get("cache_dir")};
}

void remove_mount(const std::string& directory, const MountEntry& entry) {
  if (const auto known = find_mount(directory, entry.mountpoint); known && known->cache_dir == entry.cache_dir) {
    ::unlink(entry_path(directory, entry.mountpoint).c_str());
  }
}

}  // namespace prefixfs::admin
