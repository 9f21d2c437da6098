#include "prefixfs/stage/staged_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "local_file.h"
#include "local_files.h"
#include "staged_log.h"

namespace prefixfs::stage {

// What always holds between calls:
//   dirty_ is a part of valid_, and valid_ of [0, size_);
//   [base_size_, size_) is valid, so a gap in valid_ always is a piece of the stored version;
//   the local file has size_ bytes, and nothing was ever written beyond them: what is extended reads as zeros.

namespace {

constexpr std::uint64_t kBlockBytes = 4096;

std::uint64_t blocks_of(ByteRange range) { return (range.length() + kBlockBytes - 1) / kBlockBytes * kBlockBytes; }

}  // namespace

StagedFile::StagedFile(std::filesystem::path path, UniqueFd fd, std::shared_ptr<Budget> budget, std::shared_ptr<LocalFiles> local, std::uint64_t base_size)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      budget_(std::move(budget)),
      local_(std::move(local)),
      size_(base_size),
      base_size_(base_size) {}

StagedFile::~StagedFile() {
  budget_->give_back(charged_);
  if (log_ != nullptr) {
    log_->remove(local_->spares);
  }
  if (!kept_ && !retained_) {
    local_->spares.give({std::move(path_), std::move(fd_)});
  }
}

std::uint64_t StagedFile::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

std::filesystem::path StagedFile::path() const {
  const std::shared_lock lock(mutex_);
  return path_;
}

/// What the budget has to give when `range` becomes valid; negative where ranges melt into one that takes fewer blocks.
std::int64_t StagedFile::cost_of(ByteRange range) const {
  std::int64_t before = 0;
  for (const ByteRange& touched : valid_.touching(range)) {
    before += static_cast<std::int64_t>(blocks_of(touched));
    range.begin = std::min(range.begin, touched.begin);
    range.end = std::max(range.end, touched.end);
  }
  return static_cast<std::int64_t>(blocks_of(range)) - before;
}

Result<void> StagedFile::take_of_budget(std::uint64_t bytes) const {
  if (!budget_->take(bytes)) {
    return fail(Errc::no_space, fmt::format("the stage is full: {} of {} bytes are used, {} more are needed; raise stage_size", budget_->used(),
                                            budget_->bytes_max(), bytes));
  }
  return {};
}

Result<void> StagedFile::charge(std::int64_t bytes) {
  if (bytes > 0) {
    TRY(take_of_budget(static_cast<std::uint64_t>(bytes)));
  }
  if (bytes < 0) {
    budget_->give_back(static_cast<std::uint64_t>(-bytes));
  }
  charged_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(charged_) + bytes);
  return {};
}

std::uint64_t StagedFile::cost_of_all() const {
  std::uint64_t cost = 0;
  for (const ByteRange& range : valid_.all()) {
    cost += blocks_of(range);
  }
  return cost;
}

/// After ranges were taken away. A cut in the middle of a range may cost one block more; then the old charge stays.
void StagedFile::recharge() {
  const std::uint64_t now = cost_of_all();
  if (now < charged_) {
    budget_->give_back(charged_ - now);
    charged_ = now;
  } else if (now > charged_ && budget_->take(now - charged_)) {
    charged_ = now;
  }
}

Result<void> StagedFile::write(std::uint64_t offset, std::span<const std::byte> data, std::uint64_t request) {
  if (data.empty()) {
    return {};
  }
  if (offset > kFileBytesMax - data.size()) {
    return fail(Errc::too_large, fmt::format("a write at {} is beyond what a local file can hold", offset));
  }
  const std::unique_lock lock(mutex_);
  const ByteRange written{offset, offset + data.size()};
  const ByteRange added{std::min(offset, size_), written.end};
  const ByteRange marked = offset > size_ ? added : written;
  const std::int64_t cost = cost_of(marked);
  TRY(charge(cost));
  if (const WriteOutcome outcome = write_all(fd_.get(), offset, data); outcome.error_number != 0) {
    undo_failed_write({offset, offset + outcome.written});
    return fail(file_error(outcome.error_number, "write to", path_));
  }
  valid_.add(marked);
  dirty_.add(marked);
  touched_.add(marked);
  size_ = std::max(size_, written.end);
  ++changes_;
  last_request_ = request != 0 ? request : last_request_;
  log_change(static_cast<int>(StagedLog::Change::written), marked, request);
  return {};
}

/// A write failed after some bytes: no byte may be taken for what it is not. Clean ones are void now (they can be fetched again), dirty
/// ones are a mixture, as after any failed write, and those beyond the end go.
void StagedFile::undo_failed_write(ByteRange touched) {
  for (const ByteRange& clean : dirty_.gaps(touched)) {
    valid_.remove(clean);
  }
  if (touched.end > size_ && ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
    // Shrinking does not fail for want of space; if it fails all the same, resize() and write() meet the same error again.
  }
  if (!touched.empty()) {
    for (const ByteRange& clean : dirty_.gaps(touched)) {
      log_change(static_cast<int>(StagedLog::Change::voided), clean);
    }
    touched_.add(touched);
    const bool as_stored = !changed_locked();  // what was clean is void now, and still as it is stored
    ++changes_;
    stored_changes_ = as_stored ? changes_ : stored_changes_;
  }
  recharge();
}

Result<void> StagedFile::fill(std::uint64_t offset, std::span<const std::byte> data) {
  const ByteRange range{offset, offset + data.size()};
  std::vector<Filled> filled;
  std::shared_lock beside_reads(mutex_);  // nobody reads a gap
  const auto before = std::pair(changes_, given_back_);
  auto written = write_gaps(range, data, filled);
  beside_reads.unlock();
  const std::unique_lock lock(mutex_);
  if (before != std::pair(changes_, given_back_)) {  // who knows what lies in the gaps now
    for (const Filled& lost : filled) {
      budget_->give_back(lost.taken);
    }
    filled.clear();
    written = write_gaps(range, data, filled);
  }
  for (const Filled& part : filled) {
    mark_filled(part);
  }
  return written;
}

Result<void> StagedFile::write_gaps(ByteRange range, std::span<const std::byte> data, std::vector<Filled>& filled) const {
  for (const ByteRange& gap : valid_.gaps(range.intersect({0, size_}))) {
    const auto cost = static_cast<std::uint64_t>(std::max<std::int64_t>(cost_of(gap), 0));
    TRY(take_of_budget(cost));
    const WriteOutcome outcome = write_all(fd_.get(), gap.begin, data.subspan(gap.begin - range.begin, gap.length()));
    if (outcome.error_number != 0) {
      budget_->give_back(cost);
      return fail(file_error(outcome.error_number, "write to", path_));
    }
    filled.push_back({gap, cost});
  }
  return {};
}

void StagedFile::mark_filled(const Filled& filled) {
  // Ranges beside it may have come or gone, so that it costs a block more or less by now.
  const std::int64_t cost = cost_of(filled.gap);
  const std::int64_t more = cost - static_cast<std::int64_t>(filled.taken);
  if (more > 0) {
    budget_->take_beyond(static_cast<std::uint64_t>(more));
  } else {
    budget_->give_back(static_cast<std::uint64_t>(-more));
  }
  charged_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(charged_) + cost);
  valid_.add(filled.gap);
  log_change(static_cast<int>(StagedLog::Change::filled), filled.gap);
}

Result<std::size_t> StagedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::shared_lock lock(mutex_);
  if (offset >= size_ || out.empty()) {
    return std::size_t{0};
  }
  const ByteRange range{offset, offset + std::min<std::uint64_t>(out.size(), size_ - offset)};
  if (!valid_.contains(range)) {
    return fail(Errc::internal, fmt::format("bytes {}-{} of {} are read before they are there", range.begin, range.end, path_.native()));
  }
  out = out.first(range.length());
  const std::int64_t n = read_all(fd_.get(), offset, out);
  if (n < 0) {
    return fail(file_error(errno, "read", path_));
  }
  if (static_cast<std::size_t>(n) != out.size()) {
    return fail(Errc::corrupt, fmt::format("{} was cut short by somebody else", path_.native()));
  }
  return out.size();
}

std::vector<ByteRange> StagedFile::missing(ByteRange range) const {
  const std::shared_lock lock(mutex_);
  return valid_.gaps(range.intersect({0, size_}));
}

std::vector<ByteRange> StagedFile::dirty_ranges() const {
  const std::shared_lock lock(mutex_);
  return dirty_.all();
}

bool StagedFile::changed() const {
  const std::shared_lock lock(mutex_);
  return changed_locked();
}

std::uint64_t StagedFile::change_count() const {
  const std::shared_lock lock(mutex_);
  return changes_;
}

Moment StagedFile::take_moment() {
  const std::unique_lock lock(mutex_);
  Moment moment{changes_, size_, base_size_, dirty_.all(), touched_.all()};
  touched_.clear();
  return moment;
}

std::vector<ByteRange> StagedFile::take_touched() {
  const std::unique_lock lock(mutex_);
  std::vector<ByteRange> touched = touched_.all();
  touched_.clear();
  return touched;
}

bool StagedFile::mark_clean(std::uint64_t change_count) {
  const std::unique_lock lock(mutex_);
  stored_changes_ = change_count;
  if (changes_ != change_count) {
    return false;
  }
  dirty_.clear();
  base_size_ = size_;
  log_change(static_cast<int>(StagedLog::Change::cleaned), {});
  return true;
}

void StagedFile::stored_up_to(std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  if (size <= size_) {
    dirty_.remove({0, size});
    base_size_ = size;
  }
}

bool StagedFile::retained() const {
  const std::shared_lock lock(mutex_);
  return retained_;
}

std::uint64_t StagedFile::base_size() const {
  const std::shared_lock lock(mutex_);
  return base_size_;
}

Result<void> StagedFile::sync() {
  // Without the lock: it takes milliseconds, and the descriptor stays what it is until the end.
  if (::fdatasync(fd_.get()) != 0) {
    return fail(file_error(errno, "sync", path()));
  }
  std::shared_lock lock(mutex_);
  const bool name_synced = name_synced_;
  const std::filesystem::path path = path_;
  lock.unlock();
  if (!name_synced) {
    TRY(local_->names.sync(path));
    const std::unique_lock exclusive(mutex_);
    name_synced_ = true;
  }
  return {};
}

FileState StagedFile::state() const {
  const std::shared_lock lock(mutex_);
  return state_locked();
}

FileState StagedFile::state_locked() const {
  return {path_.filename(), size_, base_size_, valid_.all(), dirty_.all(), changes_};
}

/// Of a file that nobody else knows yet: what is on the disk is this state, which nothing has stored. The bytes are not charged here.
void StagedFile::begin_as(const FileState& state) {
  size_ = state.size;
  base_size_ = state.base_size;
  for (const ByteRange& range : state.valid) {
    valid_.add(range);
  }
  for (const ByteRange& range : state.dirty) {
    dirty_.add(range);
    touched_.add(range);
  }
  ++changes_;
}

void StagedFile::retain(bool on) {
  const std::unique_lock lock(mutex_);
  retained_ = on;
}

std::uint64_t StagedFile::allocated_bytes() const {
  const std::shared_lock lock(mutex_);
  return charged_;
}

Result<void> StagedFile::evict() {
  const std::unique_lock lock(mutex_);
  if (changed_locked() || retained_) {
    return fail(Errc::busy, fmt::format("{} has changes that are not stored", path_.native()));
  }
  valid_.clear();
  ++given_back_;
  log_change(static_cast<int>(StagedLog::Change::voided), {0, size_});
  if (::ftruncate(fd_.get(), 0) != 0 || ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
    return fail(file_error(errno, "empty", path_));
  }
  recharge();
  return {};
}

void StagedFile::drop_clean(ByteRange range) {
  const std::unique_lock lock(mutex_);
  if (retained_) {
    return;  // a record names these bytes: after a crash they must still be here, whatever S3 has by now
  }
  // Bytes of whole blocks below base_size_ only: what lies beyond the stored version cannot be fetched.
  range = range.intersect({0, base_size_});
  for (const ByteRange& valid : valid_.parts(range)) {
    for (ByteRange clean : dirty_.gaps(valid)) {
      clean = {(clean.begin + kBlockBytes - 1) / kBlockBytes * kBlockBytes, clean.end / kBlockBytes * kBlockBytes};
      if (clean.empty() || ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(clean.begin),
                                       static_cast<off_t>(clean.length())) != 0) {
        continue;  // a file system that cannot punch holes keeps the bytes
      }
      valid_.remove(clean);
      ++given_back_;
      log_change(static_cast<int>(StagedLog::Change::voided), clean);
    }
  }
  recharge();
}

Result<void> StagedFile::keep(const std::filesystem::path& destination) {
  const std::unique_lock lock(mutex_);
  if (::fchmod(fd_.get(), 0600) != 0 || ::fsync(fd_.get()) != 0) {
    return fail(file_error(errno, "sync", path_));
  }
  // By a second name, so that until the first one goes the record that names it is right, whatever happens in between.
  if (::link(path_.c_str(), destination.c_str()) == 0) {
    return sync_directory(destination.parent_path());
  }
  if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) {
    return fail(file_error(errno, "keep the staged file as", destination));
  }
  if (const int error_number = move_file(path_, destination); error_number != 0) {
    return fail(file_error(error_number, "move the staged file to", destination));
  }
  kept_ = true;
  path_ = destination;
  return sync_directory(destination.parent_path());
}

Result<void> StagedBody::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  TRY_ASSIGN(const std::size_t n, file_.read(range_.begin + offset, out));
  if (n != out.size()) {
    return fail(Errc::stale, fmt::format("{} was cut while its bytes were sent", file_.path().native()));
  }
  return {};
}

}  // namespace prefixfs::stage
