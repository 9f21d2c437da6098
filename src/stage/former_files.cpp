// The files that a former process has left in stage/: those that a record names are gone on with, the others go.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "local_file.h"
#include "local_files.h"
#include "prefixfs/stage/staged_file.h"
#include "staged_log.h"
#include "staged_name.h"

namespace prefixfs::stage {

namespace {

bool in_order(const std::vector<ByteRange>& ranges, std::uint64_t size) {
  std::uint64_t at = 0;
  for (const ByteRange& range : ranges) {
    if (range.begin < at || range.empty() || range.end > size) {
      return false;
    }
    at = range.end;
  }
  return true;
}

/// Whether it keeps what the top of staged_file.cpp says.
bool consistent(const FileState& state) {
  if (state.base_size > state.size || !in_order(state.valid, state.size) || !in_order(state.dirty, state.size)) {
    return false;
  }
  RangeSet valid;
  for (const ByteRange& range : state.valid) {
    valid.add(range);
  }
  RangeSet dirty;
  for (const ByteRange& range : state.dirty) {
    if (!valid.contains(range)) {
      return false;
    }
    dirty.add(range);
  }
  return dirty.contains({state.base_size, state.size});
}

Error not_ours(const std::filesystem::path& path) {
  return {Errc::denied, fmt::format("{} is not a regular file of user {}", path.native(), ::geteuid()), {}};
}

Error open_error(int error_number, const std::filesystem::path& path) {
  switch (error_number) {
    case ENOENT: return {Errc::not_found, fmt::format("{} is not there", path.native()), {}};
    case ELOOP:   // a symbolic link
    case EISDIR:
    case ENXIO:   // a socket
    case ENODEV: return not_ours(path);
    default: return file_error(error_number, "open", path);
  }
}

/// The local file, of `size` bytes.
Result<UniqueFd> open_former(const std::filesystem::path& path, std::uint64_t size) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    return fail(open_error(errno, path));
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) {
    return fail(file_error(errno, "look at", path));
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) {
    return fail(not_ours(path));
  }
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes < size) {
    return fail(Errc::corrupt, fmt::format("{} has {} bytes, and its record says {}", path.native(), bytes, size));
  }
  if (bytes > size && ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return fail(file_error(errno, "resize", path));
  }
  return fd;
}

struct OwnFile {
  WallTime written{};
  bool kept = false;   ///< it has a name in kept/ too
  bool empty = false;  ///< it was made ahead
};

/// Nothing when it is not a file that create() has made.
std::optional<OwnFile> own_file(const std::filesystem::path& path) {
  struct stat status{};
  if (!staged_number(path.filename().native()) || ::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid()) {
    return std::nullopt;
  }
  return OwnFile{WallTime(std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec)), status.st_nlink > 1, status.st_size == 0};
}

/// A former process died between keep() and the end of the record: what becomes of the bytes is decided anew.
Result<void> undo_keep(const UniqueFd& fd, const std::filesystem::path& kept) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || status.st_nlink == 1) {
    return {};
  }
  TRY_ASSIGN(const std::vector<std::string> names, names_in(kept));
  for (const std::string& name : names) {
    struct stat other{};
    const std::filesystem::path path = kept / name;
    if (::lstat(path.c_str(), &other) != 0 || other.st_ino != status.st_ino || other.st_dev != status.st_dev) {
      continue;
    }
    if (::unlink(path.c_str()) != 0 || (::unlink((path.native() + kNoteEnding).c_str()) != 0 && errno != ENOENT)) {
      return fail(file_error(errno, "remove", path));
    }
  }
  return {};
}

}  // namespace

bool StageDirectory::claim(const std::string& name, std::uint64_t number) {
  local_->names.skip(number);
  const std::lock_guard lock(mutex_);
  return claimed_.insert(name).second;
}

bool StageDirectory::claimed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return claimed_.contains(name);
}

bool StageDirectory::reopened(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return reopened_.contains(name);
}

Result<std::shared_ptr<StagedFile>> StageDirectory::adopt(const FileState& state) {
  const auto number = staged_number(state.name);
  if (!number) {
    return fail(Errc::corrupt, fmt::format("a record names \"{}\", which cannot be a staged file", state.name));
  }
  if (!claim(state.name, *number)) {
    return fail(Errc::corrupt, fmt::format("two records name the staged file {}", state.name));
  }
  if (!consistent(state)) {
    return fail(Errc::corrupt, fmt::format("the record of the staged file {} contradicts itself", state.name));
  }
  std::filesystem::path path = root_ / "stage" / state.name;
  TRY_ASSIGN(UniqueFd fd, open_former(path, state.size));
  TRY(undo_keep(fd, root_ / "kept"));
  auto file = make(std::move(path), std::move(fd), state.base_size);
  file->retained_ = true;
  file->begin_as(state);
  file->charged_ = file->cost_of_all();
  budget_->take_beyond(file->charged_);
  return file;
}

Result<std::shared_ptr<StagedFile>> StageDirectory::reopen(const FormerFile& former) {
  TRY_ASSIGN(std::shared_ptr<StagedFile> file, adopt(former.state));
  file->retain(false);
  file->last_request_ = former.last_request;
  const std::lock_guard lock(mutex_);
  reopened_.insert(former.state.name);
  return file;
}

Result<std::vector<FormerFile>> StageDirectory::former() {
  std::vector<FormerFile> files;
  TRY_ASSIGN(const std::vector<std::string> names, names_in(root_ / "open"));
  for (const std::string& name : names) {
    auto file = staged_number(name) ? StagedLog::read(root_ / "open" / name, boot_id_) : std::nullopt;
    const auto own = own_file(root_ / "stage" / name);
    if (file && !(own && own->kept)) {
      files.push_back(std::move(*file));
    }
  }
  return files;
}

/// Logs of what was not gone on with, or has a record of its own.
Result<void> StageDirectory::remove_logs() {
  TRY_ASSIGN(const std::vector<std::string> names, names_in(root_ / "open"));
  for (const std::string& name : names) {
    const std::filesystem::path path = root_ / "open" / name;
    if (!reopened(name) && staged_number(path.stem().native()) && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return fail(file_error(errno, "remove", path));
    }
  }
  return {};
}

Result<StageDirectory::Unclaimed> StageDirectory::remove_unclaimed(bool keep_own) {
  Unclaimed unclaimed;
  TRY(remove_logs());
  TRY_ASSIGN(const std::vector<std::string> names, names_in(root_ / "stage"));
  for (const std::string& name : names) {
    if (claimed(name)) {
      continue;
    }
    const std::filesystem::path path = root_ / "stage" / name;
    const auto own = own_file(path);
    if (!own) {
      unclaimed.foreign.push_back(name);
      continue;
    }
    const bool move = keep_own && !own->kept && !own->empty;
    const int error_number = move ? move_file(path, kept_path(name, own->written)) : ::unlink(path.c_str()) != 0 ? errno : 0;
    if (error_number != 0) {
      return fail(file_error(error_number, move ? "move to kept/" : "remove", path));
    }
    unclaimed.removed.push_back(name);
  }
  if (keep_own && !unclaimed.removed.empty()) {
    TRY(sync_directory(root_ / "kept"));
  }
  return unclaimed;
}

}  // namespace prefixfs::stage
