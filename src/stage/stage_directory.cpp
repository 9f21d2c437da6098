#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "local_file.h"
#include "local_files.h"
#include "prefixfs/base/time_format.h"
#include "prefixfs/stage/staged_file.h"
#include "staged_name.h"

namespace prefixfs::stage {

namespace {

constexpr const char* kLockName = "lock";
constexpr std::string_view kEnding = "ending\n";
// A daemon that ends stores what is open, and one whose mount has just gone has not said so yet.
constexpr int kEndingMsMax = 60'000;
constexpr int kUnmountedMsMax = 1'000;
constexpr int kLockPollMs = 20;
constexpr std::size_t kKeptNameBytesMax = 160;  // with time and counter well below the 255 bytes of a name

/// Makes a directory that only its owner can enter, and refuses one that somebody else has put there.
Result<void> make_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(file_error(errno, "make directory", path));
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return fail(file_error(errno, "look at", path));
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) {
    return fail(Errc::denied, fmt::format("{} is not a directory of user {}; choose another cache_dir", path.native(), ::geteuid()));
  }
  if ((status.st_mode & 0777) != 0700 && ::chmod(path.c_str(), 0700) != 0) {
    return fail(file_error(errno, "set the mode of", path));
  }
  return {};
}

/// What it holds is going to be closed to others, and emptied of what no record names, so it must be prefixfs's own.
Result<void> check_own(const std::filesystem::path& directory) {
  std::error_code error;
  bool empty = true;
  for (auto entry = std::filesystem::directory_iterator(directory, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name == kLockName) {
      return {};
    }
    empty = empty && name == "lost+found";
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(file_error(error.value(), "read directory", directory));
  }
  return empty ? Result<void>() : fail(Errc::denied, fmt::format("{} is neither empty nor a cache directory of prefixfs; choose another cache_dir",
                                                                 directory.native()));
}

struct Owner {
  std::string pid;
  bool ending = false;
};

Owner read_owner(int lock_fd) {
  std::array<std::byte, 32> buffer{};
  const std::int64_t n = read_all(lock_fd, 0, buffer);
  const std::string text(reinterpret_cast<const char*>(buffer.data()), n > 0 ? static_cast<std::size_t>(n) : 0);
  int pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return {pid > 0 ? fmt::format("process {}", pid) : "another process", text.ends_with(kEnding)};
}

/// `umount` returns before the daemon has ended, and the next mount of a script should not fail for that. 0, or the errno of flock().
int lock_after_ending(int fd) {
  int waited_ms = 0;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    const int limit_ms = read_owner(fd).ending ? kEndingMsMax : kUnmountedMsMax;
    if (error_number != EWOULDBLOCK || waited_ms >= limit_ms) {
      return error_number;
    }
    ::poll(nullptr, 0, kLockPollMs);
    waited_ms += kLockPollMs;
  }
  return 0;
}

/// An flock belongs to the open file: it ends with the process, however that ends.
Result<UniqueFd> take_lock(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kLockName;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return fail(file_error(errno, "open", path));
  }
  if (const int error_number = lock_after_ending(fd.get()); error_number != 0) {
    if (error_number == EWOULDBLOCK) {
      return fail(Errc::busy, fmt::format("the cache directory {} belongs to {}; choose another cache_dir", directory.native(),
                                          read_owner(fd.get()).pid));
    }
    return fail(file_error(error_number, "lock", path));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0) {
    return fail(file_error(errno, "empty", path));
  }
  if (const auto outcome = write_all(fd.get(), 0, std::as_bytes(std::span(pid))); outcome.error_number != 0) {
    return fail(file_error(outcome.error_number, "write to", path));
  }
  return fd;
}

/// Behind all names that are there, whatever they stand for.
Result<std::uint64_t> next_number(const std::filesystem::path& directory) {
  TRY_ASSIGN(const std::vector<std::string> names, names_in(directory));
  std::uint64_t next = 1;
  for (const std::string& name : names) {
    if (const auto number = staged_number(name)) {
      next = std::max(next, *number + 1);
    }
  }
  return next;
}

bool safe_in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

}  // namespace

StageDirectory::StageDirectory(std::filesystem::path root, UniqueFd lock, std::shared_ptr<Budget> budget, std::uint64_t next, std::string boot_id)
    : root_(std::move(root)),
      boot_id_(std::move(boot_id)),
      lock_(std::move(lock)),
      budget_(std::move(budget)),
      local_(std::make_shared<LocalFiles>(root_, next)) {}

StageDirectory::~StageDirectory() = default;

void StageDirectory::say_ending() {
  const std::string text = fmt::format("{} {}", ::getpid(), kEnding);
  // Where it cannot be said, the next daemon waits less.
  [[maybe_unused]] const auto written = write_all(lock_.get(), 0, std::as_bytes(std::span(text)));
}

Result<std::unique_ptr<StageDirectory>> StageDirectory::open(const std::filesystem::path& cache_directory, std::uint64_t bytes_max,
                                                              std::string boot_id) {
  if (const auto parent = cache_directory.parent_path(); !parent.empty()) {
    std::error_code error;
    std::filesystem::create_directories(parent, error);
    if (error) {
      return fail(file_error(error.value(), "make directory", parent));
    }
  }
  TRY(check_own(cache_directory));
  TRY(make_private_directory(cache_directory));
  TRY_ASSIGN(UniqueFd lock, take_lock(cache_directory));
  TRY(make_private_directory(cache_directory / "stage"));
  TRY(make_private_directory(cache_directory / "kept"));
  TRY(make_private_directory(cache_directory / "open"));
  TRY_ASSIGN(const std::uint64_t next, next_number(cache_directory / "stage"));
  return std::unique_ptr<StageDirectory>(new StageDirectory(cache_directory, std::move(lock), std::make_shared<Budget>(bytes_max), next,
                                                            std::move(boot_id)));
}

Result<std::shared_ptr<StagedFile>> StageDirectory::create(std::uint64_t base_size) {
  TRY_ASSIGN(SpareFiles::File file, local_->names.make());
  if (base_size > 0 && ::ftruncate(file.fd.get(), static_cast<off_t>(base_size)) != 0) {
    const Error error = file_error(errno, "resize", file.path);
    local_->spares.give(std::move(file));
    return fail(error);
  }
  return make(std::move(file.path), std::move(file.fd), base_size);
}

std::shared_ptr<StagedFile> StageDirectory::make(std::filesystem::path path, UniqueFd fd, std::uint64_t base_size) {
  auto file = std::shared_ptr<StagedFile>(new StagedFile(std::move(path), std::move(fd), budget_, local_, base_size));
  file->log_path_ = root_ / "open" / file->path_.filename();
  file->boot_id_ = boot_id_;
  return file;
}

std::filesystem::path StageDirectory::kept_path(std::string_view name, WallTime now) {
  // The end of a long name says more than its beginning: there stand the file name and its type.
  std::string safe(name.substr(name.size() - std::min(name.size(), kKeptNameBytesMax)));
  std::replace_if(safe.begin(), safe.end(), [](char c) { return !safe_in_a_name(c); }, '_');
  return root_ / "kept" / fmt::format("{}-{}-{}", format_iso8601_basic(now), local_->names.take_number(), safe);
}

Result<void> StageDirectory::note_kept(const std::filesystem::path& kept, const std::string& text) {
  const std::filesystem::path path = kept.native() + kNoteEnding;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return fail(file_error(errno, "make", path));
  }
  const auto outcome = write_all(fd.get(), 0, std::as_bytes(std::span(text)));
  return outcome.error_number == 0 ? Result<void>() : fail(file_error(outcome.error_number, "write to", path));
}

}  // namespace prefixfs::stage
