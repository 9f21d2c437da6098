#include "prefixfs/fuse/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "mount_table.h"
#include "request.h"

namespace prefixfs::fuse {
namespace {

// Threads beyond this number end when they have nothing to do; each holds a buffer of a quarter MiB.
constexpr unsigned kIdleThreadsMax = 16;
// Only interrupts the thread that serves; it has no other use in this program.
constexpr int kWakeSignal = SIGUSR1;

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

class LibfuseSession final : public Session {
 public:
  LibfuseSession(vfs::Filesystem& filesystem, Log& log) : server_{filesystem, log, {}} {}

  ~LibfuseSession() override {
    if (session_ != nullptr) {
      fuse_session_unmount(session_);
      fuse_session_destroy(session_);
    }
  }

  Result<void> mount(const MountOptions& options) {
    const std::string words = mount_words(options);
    const char* arguments[] = {"prefixfs", "-o", words.c_str(), nullptr};
    fuse_args args = FUSE_ARGS_INIT(3, const_cast<char**>(arguments));
    const fuse_lowlevel_ops table = callbacks();
    fuse_set_log_func(log_line_of_libfuse);
    session_ = fuse_session_new(&args, &table, sizeof table, &server_);
    threads_max_ = options.threads_max;
    if (session_ == nullptr) {
      return fail(Errc::invalid, fmt::format("the mount options \"{}\" were refused by libfuse", words));
    }
    if (fuse_session_mount(session_, options.mountpoint.c_str()) != 0) {
      fuse_session_destroy(session_);
      session_ = nullptr;
      return fail(Errc::denied, fmt::format("cannot mount on {}: see the line above; an ordinary user needs fusermount3 (package fuse3) and "
                                            "the right to write to the directory", options.mountpoint));
    }
    return {};
  }

  Result<void> serve(std::function<void()> ready) override {
    server_.ready = std::move(ready);
    struct sigaction wake {};
    wake.sa_handler = [](int) {};
    ::sigaction(kWakeSignal, &wake, nullptr);
    serving_thread_ = ::pthread_self();
    serving_ = true;
    fuse_loop_config* loop = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(loop, 0);  // one descriptor, so that another process can take the mount over
    fuse_loop_cfg_set_max_threads(loop, threads_max_);
    fuse_loop_cfg_set_idle_threads(loop, kIdleThreadsMax);
    const int outcome = stopped_ ? 0 : fuse_session_loop_mt(session_, loop);
    fuse_loop_cfg_destroy(loop);
    serving_ = false;
    if (outcome < 0) {
      return fail(Errc::io, fmt::format("the connection to the kernel failed: {}", std::strerror(-outcome)));
    }
    return {};
  }

  void stop() override {
    stopped_ = true;
    fuse_session_exit(session_);
    if (serving_) {
      ::pthread_kill(serving_thread_, kWakeSignal);
    }
  }

 private:
  Server server_;
  fuse_session* session_ = nullptr;
  unsigned threads_max_ = 64;
  pthread_t serving_thread_{};
  std::atomic<bool> serving_{false};
  std::atomic<bool> stopped_{false};
};

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

Result<std::unique_ptr<Session>> mount(const MountOptions& options, vfs::Filesystem& filesystem, Log& log) {
  auto session = std::make_unique<LibfuseSession>(filesystem, log);
  TRY(session->mount(options));
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace prefixfs::fuse
