#include "prefixfs/fuse/mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "callbacks.h"
#include "mount_table.h"

namespace prefixfs::fuse {
namespace {

/// libfuse splits its options at commas (fuse_opt.h: "\\" and "," are escaped by a backslash).
std::string escaped(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == ',' || c == '\\') {
      result.push_back('\\');
    }
    result.push_back(c);
  }
  return result;
}

std::string mount_words(const MountOptions& options) {
  std::string words = "fsname=" + escaped(options.source) + ",subtype=prefixfs,default_permissions,nosuid,nodev";
  if (options.allow_other) {
    words += ",allow_other";
  }
  if (options.read_only) {
    words += ",ro";
  }
  for (const std::string& word : options.generic) {
    if (word != "nosuid" && word != "nodev" && word != "ro") {
      words += "," + word;
    }
  }
  return words;
}

void log_line_of_libfuse(fuse_log_level, const char* format, va_list arguments) {
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  std::fprintf(stderr, "prefixfs: %s", line);
}

void unmount_by_fusermount(const std::string& mountpoint) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mountpoint.c_str(), nullptr);
    ::_exit(127);
  }
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<void> check_mountpoint(const std::string& mountpoint) {
  struct stat status {};
  if (::stat(mountpoint.c_str(), &status) != 0) {
    const int error_number = errno;
    if (error_number == ENOTCONN) {
      return fail(Errc::busy, fmt::format("{} is a mount whose program has died: run `umount {}` first", mountpoint, mountpoint));
    }
    if (error_number == ENOENT) {
      return fail(Errc::not_found, fmt::format("mountpoint {} does not exist: create it with mkdir", mountpoint));
    }
    return fail(Errc::denied, fmt::format("mountpoint {} cannot be used: {}", mountpoint, std::strerror(error_number)));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(Errc::not_dir, fmt::format("mountpoint {} is not a directory", mountpoint));
  }
  if (is_mounted(mountpoint)) {
    return fail(Errc::busy, fmt::format("mountpoint {} is busy: a prefixfs is mounted there already", mountpoint));
  }
  return {};
}

/// A session of libfuse that serves nothing: it knows how to mount with and without root's rights.
Result<UniqueFd> open_mount(const MountOptions& options) {
  const std::string words = mount_words(options);
  const char* arguments[] = {"prefixfs", "-o", words.c_str(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(3, const_cast<char**>(arguments));
  const fuse_lowlevel_ops nothing{};
  fuse_set_log_func(log_line_of_libfuse);
  fuse_session* session = fuse_session_new(&args, &nothing, sizeof nothing, nullptr);
  if (session == nullptr) {
    return fail(Errc::invalid, fmt::format("the mount options \"{}\" were refused by libfuse", words));
  }
  UniqueFd device;
  if (fuse_session_mount(session, options.mountpoint.c_str()) == 0) {
    device.reset(::fcntl(fuse_session_fd(session), F_DUPFD_CLOEXEC, 0));
  }
  fuse_session_destroy(session);
  if (!device) {
    return fail(Errc::denied, fmt::format("cannot mount on {}: see the line above; an ordinary user needs fusermount3 (package fuse3) and "
                                          "the right to write to the directory", options.mountpoint));
  }
  return device;
}

bool is_gone(const UniqueFd& device) {
  pollfd look{.fd = device.get(), .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0;
}

void close_mount(const std::string& mountpoint, UniqueFd device) {
  // A mount that is gone may have been followed by another one on the same directory.
  if (is_gone(device)) {
    return;
  }
  device.reset();  // umount would ask the file system, which may be nobody but this process
  if (::umount2(without_links(mountpoint).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    unmount_by_fusermount(mountpoint);
  }
}

std::string mounted_device(const std::string& mountpoint) { return device_of(mountpoint); }

}  // namespace prefixfs::fuse
