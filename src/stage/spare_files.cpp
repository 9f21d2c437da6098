#include "spare_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "local_file.h"
#include "staged_name.h"

namespace prefixfs::stage {

namespace {

/// A second name (as in kept/) would be emptied with it.
bool has_one_name(const UniqueFd& fd) {
  struct stat status{};
  return ::fstat(fd.get(), &status) == 0 && status.st_nlink == 1;
}

}  // namespace

SpareFiles::~SpareFiles() {
  for (const File& spare : spares_) {
    ::unlink(spare.path.c_str());
  }
}

std::filesystem::path SpareFiles::next_path() {
  const std::lock_guard lock(mutex_);
  return directory_ / (staged_name(next_++) + ".spare");
}

Result<SpareFiles::File> SpareFiles::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!spares_.empty()) {
      File spare = std::move(spares_.back());
      spares_.pop_back();
      return spare;
    }
  }
  while (true) {
    std::filesystem::path path = next_path();
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd) {
      return File{std::move(path), std::move(fd)};
    }
    if (errno != EEXIST) {  // one of a process that was killed
      return fail(file_error(errno, "make", path));
    }
  }
}

void SpareFiles::give(File file) {
  std::filesystem::path path = next_path();
  if (!has_one_name(file.fd) || ::rename(file.path.c_str(), path.c_str()) != 0) {
    ::unlink(file.path.c_str());
    return;
  }
  if (::ftruncate(file.fd.get(), 0) == 0) {
    const std::lock_guard lock(mutex_);
    if (spares_.size() < kSparesMax) {
      spares_.push_back({std::move(path), std::move(file.fd)});
      return;
    }
  }
  ::unlink(path.c_str());
}

}  // namespace prefixfs::stage
