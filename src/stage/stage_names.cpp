#include "stage_names.h"

#include <unistd.h>

#include <algorithm>

#include "local_file.h"
#include "staged_name.h"

namespace prefixfs::stage {

StageNames::~StageNames() {
  for (const SpareFiles::File& file : made_) {
    ::unlink(file.path.c_str());
  }
}

std::uint64_t StageNames::take_number() {
  const std::lock_guard lock(mutex_);
  return next_++;
}

void StageNames::skip(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  next_ = std::max(next_, number + 1);
}

Result<SpareFiles::File> StageNames::make_locked() {
  std::filesystem::path path = directory_ / staged_name(next_++);
  TRY_ASSIGN(SpareFiles::File file, spares_.take());
  if (const int error_number = move_file(file.path, path); error_number != 0) {
    spares_.give(std::move(file));
    return fail(file_error(error_number, "make", path));
  }
  file.path = std::move(path);
  return file;
}

Result<SpareFiles::File> StageNames::make() {
  const std::lock_guard lock(mutex_);
  for (std::size_t more = syncs_ && made_.empty() ? kMadeAhead : 0; more > 0; --more) {
    auto file = make_locked();
    if (!file) {
      break;  // told by what follows, if it lasts
    }
    made_.push_back(std::move(*file));
  }
  if (made_.empty()) {
    return make_locked();
  }
  SpareFiles::File file = std::move(made_.front());
  made_.pop_front();
  return file;
}

Result<void> StageNames::sync(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.parent_path();
  const auto number = directory == directory_ ? staged_number(file.filename().native()) : std::nullopt;
  std::uint64_t made = 0;
  {
    const std::lock_guard lock(mutex_);
    if (number && *number < synced_) {
      return {};
    }
    syncs_ = true;
    made = next_;
  }
  TRY(sync_directory(directory));
  const std::lock_guard lock(mutex_);
  synced_ = directory == directory_ ? std::max(synced_, made) : synced_;
  return {};
}

}  // namespace prefixfs::stage
