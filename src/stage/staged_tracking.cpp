// A staged file writes down what changes, so that another process can go on with it.

#include <unistd.h>

#include <mutex>

#include "local_files.h"
#include "prefixfs/stage/staged_file.h"
#include "staged_log.h"

namespace prefixfs::stage {

void StagedFile::track(const std::string& note) {
  const std::unique_lock lock(mutex_);
  if (log_ != nullptr) {
    if (!log_->add_note(note)) {
      log_->remove(local_->spares);
      log_.reset();
    }
    return;
  }
  if (auto log = StagedLog::begin(log_path_, boot_id_, {state_locked(), note, last_request_}, local_->spares)) {
    log_ = std::make_unique<StagedLog>(std::move(*log));
  } else {
    ::unlink(log_path_.c_str());
  }
}

void StagedFile::untrack() {
  const std::unique_lock lock(mutex_);
  if (log_ != nullptr) {
    log_->remove(local_->spares);
    log_.reset();
  }
}

bool StagedFile::tracked() const {
  const std::shared_lock lock(mutex_);
  return log_ != nullptr;
}

std::uint64_t StagedFile::last_request() const {
  const std::shared_lock lock(mutex_);
  return last_request_;
}

/// A log that lacks a change says something wrong, so it goes.
void StagedFile::log_change(int change, ByteRange range, std::uint64_t request) {
  if (log_ != nullptr && !log_->add(static_cast<StagedLog::Change>(change), range, request)) {
    log_->remove(local_->spares);
    log_.reset();
  }
}

}  // namespace prefixfs::stage
