// Loaded in front of libc (LD_PRELOAD): numbers the calls that change files below a directory, and kills the process before one of them, or lets it fail,
// or writes all of them down. The settings are in the environment:
//   FILE_CALLS_BELOW=DIR        which files
//   FILE_CALLS_KILL=N           kill -9 before call N
//   FILE_CALLS_FAIL=N:ERRNO     call N fails
//   FILE_CALLS_RECORD=FILE      each call, with its bytes, goes there

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <mutex>
#include <string>

namespace {

struct Settings {
  std::string below;
  long kill_at = 0;
  long fail_at = 0;
  int fail_with = 0;
  int record = -1;
};

Settings read_settings() {
  Settings settings;
  const auto text = [](const char* name) {
    const char* value = getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  settings.below = text("FILE_CALLS_BELOW");
  settings.kill_at = atol(text("FILE_CALLS_KILL").c_str());
  const std::string failure = text("FILE_CALLS_FAIL");
  if (const auto colon = failure.find(':'); colon != std::string::npos) {
    settings.fail_at = atol(failure.c_str());
    settings.fail_with = atoi(failure.c_str() + colon + 1);
  }
  if (const std::string path = text("FILE_CALLS_RECORD"); !path.empty()) {
    settings.record = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  return settings;
}

const Settings& settings() {
  static const Settings read = read_settings();
  return read;
}

std::mutex& order() {
  static std::mutex mutex;
  return mutex;
}

std::string path_of(int fd) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const auto length = syscall(SYS_readlinkat, AT_FDCWD, link.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

std::string path_at(int directory, const char* path) {
  return path[0] == '/' || directory == AT_FDCWD ? std::string(path) : path_of(directory) + "/" + path;
}

bool watched(const std::string& path) { return !settings().below.empty() && path.starts_with(settings().below); }

void put(const std::string& bytes) { syscall(SYS_write, settings().record, bytes.data(), bytes.size()); }

/// A call that changes files, from its number to its end. Calls are made one at a time, so that the record has their order.
class Call {
 public:
  explicit Call(bool counts) : counts_(counts) {
    if (!counts_) {
      return;
    }
    order().lock();
    static long calls = 0;
    ++calls;
    if (calls == settings().kill_at) {
      kill(getpid(), SIGKILL);
      for (;;) {
        pause();
      }
    }
    fails_ = calls == settings().fail_at;
  }
  ~Call() {
    if (counts_) {
      order().unlock();
    }
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// True: the call is not to be made.
  bool fails() const {
    if (fails_) {
      errno = settings().fail_with;
    }
    return fails_;
  }
  /// "name inode number length path\n", and so many bytes.
  void record(const char* name, unsigned long inode, long long at, const std::string& path, const std::string& bytes = {}) const {
    if (!counts_ || settings().record < 0) {
      return;
    }
    const int saved = errno;
    put(std::string(name) + " " + std::to_string(inode) + " " + std::to_string(at) + " " + std::to_string(bytes.size()) + " " + path + "\n" + bytes);
    errno = saved;
  }

 private:
  const bool counts_;
  bool fails_ = false;
};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

unsigned long inode_of(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

ssize_t write_at(int fd, const void* data, size_t size, off_t offset, const std::string& path) {
  const Call call(true);
  if (call.fails()) {
    return -1;
  }
  const ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);
  if (done > 0) {
    const bool synced = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    call.record(synced ? "written" : "write", inode_of(fd), offset, path, std::string(static_cast<const char*>(data), static_cast<size_t>(done)));
  }
  return done;
}

int open_at(int directory, const char* path, int flags, mode_t mode) {
  const std::string whole = path_at(directory, path);
  const bool changes = watched(whole) && (flags & (O_CREAT | O_TRUNC)) != 0;
  const Call call(changes);
  if (call.fails()) {
    return -1;
  }
  struct stat about {};
  const bool existed = changes && fstatat(directory, path, &about, AT_SYMLINK_NOFOLLOW) == 0;
  const int fd = static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
  if (fd >= 0 && changes && (!existed || (flags & O_TRUNC) != 0)) {
    call.record(existed ? "truncate" : "create", inode_of(fd), 0, whole);
  }
  return fd;
}

int sync_fd(int fd, long number) {
  const std::string path = path_of(fd);
  const Call call(watched(path));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(number, fd));
  if (done == 0) {
    call.record("sync", inode_of(fd), 0, path);
  }
  return done;
}

int resize(int fd, off_t size) {
  const std::string path = path_of(fd);
  const Call call(watched(path));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(SYS_ftruncate, fd, size));
  if (done == 0) {
    call.record("resize", inode_of(fd), size, path);
  }
  return done;
}

int change_name(const std::string& from, const std::string& to, unsigned flags) {
  const Call call(watched(from) || watched(to));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
  if (done == 0) {
    call.record("rename", 0, 0, from, to);
  }
  return done;
}

int remove_name(const std::string& path, int flags) {
  const Call call(watched(path));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path.c_str(), flags));
  if (done == 0) {
    call.record("unlink", 0, 0, path);
  }
  return done;
}

int make_directory(const std::string& path, mode_t mode) {
  const Call call(watched(path));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path.c_str(), mode));
  if (done == 0) {
    call.record("mkdir", 0, 0, path);
  }
  return done;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  if (fd == STDOUT_FILENO && settings().record >= 0) {  // what the program has said belongs into the order
    const Call call(true);
    call.record("say", 0, 0, "", std::string(static_cast<const char*>(data), size));
    return syscall(SYS_write, fd, data, size);
  }
  const std::string path = path_of(fd);
  if (!watched(path)) {
    return syscall(SYS_write, fd, data, size);
  }
  const bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  const off_t at = appends ? static_cast<off_t>(syscall(SYS_lseek, fd, 0, SEEK_END)) : static_cast<off_t>(syscall(SYS_lseek, fd, 0, SEEK_CUR));
  const ssize_t done = write_at(fd, data, size, at, path);
  if (done > 0) {
    syscall(SYS_lseek, fd, at + done, SEEK_SET);
  }
  return done;
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  const std::string path = path_of(fd);
  return watched(path) ? write_at(fd, data, size, offset, path) : syscall(SYS_pwrite64, fd, data, size, offset);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }

ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return pwrite64(fd, all.data(), all.size(), offset);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (!watched(path_of(fd))) {
    return syscall(SYS_writev, fd, parts, count);
  }
  std::string all;
  for (int i = 0; i < count; ++i) {
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return write(fd, all.data(), all.size());
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(AT_FDCWD, path, flags, mode);
}
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(directory, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(directory, path, flags, mode);
}

ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t size, unsigned flags) {
  const std::string path = path_of(to);
  if (!watched(path)) {
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
  }
  std::string bytes(size, '\0');
  const ssize_t got = syscall(SYS_pread64, from, bytes.data(), size, *from_at);
  const ssize_t done = got > 0 ? write_at(to, bytes.data(), static_cast<size_t>(got), *to_at, path) : got;
  if (done > 0) {
    *from_at += done;
    *to_at += done;
  }
  return done;
}

int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }
int ftruncate64(int fd, off64_t size) noexcept { return resize(fd, size); }
int ftruncate(int fd, off_t size) noexcept { return resize(fd, size); }
int rename(const char* from, const char* to) noexcept { return change_name(from, to, 0); }
int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  return change_name(path_at(from_directory, from), path_at(to_directory, to), 0);
}
int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) noexcept {
  return change_name(path_at(from_directory, from), path_at(to_directory, to), flags);
}
int link(const char* from, const char* to) noexcept {
  const Call call(watched(to));
  if (call.fails()) {
    return -1;
  }
  const int done = static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
  if (done == 0) {
    call.record("link", 0, 0, from, to);
  }
  return done;
}
int unlink(const char* path) noexcept { return remove_name(path, 0); }
int rmdir(const char* path) noexcept { return remove_name(path, AT_REMOVEDIR); }
int remove(const char* path) noexcept {
  struct stat about {};
  return remove_name(path, lstat(path, &about) == 0 && S_ISDIR(about.st_mode) ? AT_REMOVEDIR : 0);
}
int unlinkat(int directory, const char* path, int flags) noexcept { return remove_name(path_at(directory, path), flags); }
int mkdir(const char* path, mode_t mode) noexcept { return make_directory(path, mode); }
int mkdirat(int directory, const char* path, mode_t mode) noexcept { return make_directory(path_at(directory, path), mode); }

}  // extern "C"
