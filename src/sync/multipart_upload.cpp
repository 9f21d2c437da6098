#include "multipart_upload.h"

#include <algorithm>
#include <chrono>

namespace prefixfs::sync {

namespace {

constexpr std::chrono::seconds kAbortTimeout(10);

}  // namespace

bool is_upload_gone(const Error& error) { return error.code == Errc::not_found && error.origin.s3_code == "NoSuchUpload"; }

MultipartUpload::MultipartUpload(s3::ObjectStore& store, WorkerPool& pool, const Clock& clock, Log& log,
                                 std::shared_ptr<stage::StagedFile> file, MultipartTarget target, std::size_t in_flight_max)
    : store_(store),
      pool_(pool),
      clock_(clock),
      log_(log),
      file_(std::move(file)),
      target_(std::move(target)),
      in_flight_max_(std::max<std::size_t>(in_flight_max, 1)) {}

// ---- creating ----

Result<void> MultipartUpload::create(const CallContext& context) {
  TRY_ASSIGN(s3::UploadId id, store_.create_upload(target_.key, target_.headers, context));
  const std::lock_guard lock(mutex_);
  id_ = std::move(id);
  return {};
}

void MultipartUpload::create_in_background() {
  const std::lock_guard lock(mutex_);
  create_wanted_ = true;
  pool_.submit([self = shared_from_this()] { self->run_create(); });
}

void MultipartUpload::run_create() {
  std::unique_lock lock(mutex_);
  if (!std::exchange(create_wanted_, false)) {
    return;
  }
  ++running_;
  // Not to be cancelled: an answer that nobody waits for would leave an upload in the bucket that nobody knows.
  const CallContext context{sender_.deadline, {}};
  lock.unlock();
  auto created = store_.create_upload(target_.key, target_.headers, context);
  lock.lock();
  --running_;
  if (created) {
    id_ = std::move(*created);
  } else {
    fail_upload(std::move(created.error()));
  }
  leave();
}

// ---- the layout ----

void MultipartUpload::add_part(const PlannedPart& part) {
  const std::lock_guard lock(mutex_);
  parts_.push_back({.plan = part, .changes = 0, .sent_changes = {}, .uploaded = {}});
}

std::size_t MultipartUpload::parts() const {
  const std::lock_guard lock(mutex_);
  return parts_.size();
}

std::uint64_t MultipartUpload::end() const {
  const std::lock_guard lock(mutex_);
  return parts_.empty() ? 0 : parts_.back().plan.range.end;
}

void MultipartUpload::absorb_touched(const std::vector<ByteRange>& touched) {
  for (const ByteRange& range : touched) {
    auto part = std::partition_point(parts_.begin(), parts_.end(), [&](const Part& p) { return p.plan.range.end <= range.begin; });
    for (; part != parts_.end() && part->plan.range.begin < range.end; ++part) {
      ++part->changes;
    }
  }
}

MultipartUpload::State MultipartUpload::state() {
  const std::lock_guard lock(mutex_);
  State state{.moment = file_->take_moment(), .current = true, .layout_holds = true, .sent_once = true};
  absorb_touched(state.moment.touched);
  for (const Part& part : parts_) {
    state.current = state.current && current(part);
    state.sent_once = state.sent_once && part.sent_once;
    if (part.plan.from == PlannedPart::From::stored && part.changes > 0) {
      state.layout_holds = false;
    }
  }
  state.layout_holds = state.layout_holds && !parts_.empty() && parts_.back().plan.range.end == state.moment.size;
  state.current = state.current && state.layout_holds;
  return state;
}

// ---- sending ----

void MultipartUpload::send(std::size_t first, const CallContext& context) {
  const std::lock_guard lock(mutex_);
  sender_ = context;
  part_error_.reset();
  if (error_ || cancelled_) {
    return;
  }
  for (std::size_t index = first; index < parts_.size(); ++index) {
    Part& part = parts_[index];
    if (!part.queued && !current(part)) {
      part.queued = true;
      queue_.push_back(index);
    }
  }
  start_tasks();
}

void MultipartUpload::start_tasks() {
  if (id_.empty()) {
    return;  // create_upload() comes first
  }
  while (tasks_ < std::min(in_flight_max_, running_ + queue_.size())) {
    ++tasks_;
    pool_.submit([self = shared_from_this()] { self->run_one(); });
  }
}

void MultipartUpload::run_one() {
  std::unique_lock lock(mutex_);
  if (sender_.cancel.stop_requested()) {
    clear_queue();
  }
  if (queue_.empty()) {
    --tasks_;
    leave();
    return;
  }
  const std::size_t index = queue_.front();
  queue_.pop_front();
  ++running_;
  // Before the first byte is read: what was written until now is in it, and what comes later is noticed by finish_part().
  absorb_touched(file_->take_touched());
  const std::uint64_t changes = parts_[index].changes;
  const PlannedPart plan = parts_[index].plan;
  const SteadyTime deadline = sender_.deadline;
  lock.unlock();
  auto sent = send_part(index, plan, deadline);
  finish_part(index, changes, std::move(sent));
}

Result<s3::UploadedPart> MultipartUpload::send_part(std::size_t index, const PlannedPart& plan, SteadyTime deadline) {
  const CallContext context{deadline, stop_.get_token()};
  const int number = static_cast<int>(index) + 1;
  if (plan.from == PlannedPart::From::stored) {
    return store_.upload_part_copy(target_.key, id_, number, {target_.key, target_.base_etag}, plan.range, context);
  }
  const stage::StagedBody body(*file_, plan.range);
  return store_.upload_part(target_.key, id_, number, body, context);
}

void MultipartUpload::finish_part(std::size_t index, std::uint64_t changes, Result<s3::UploadedPart> sent) {
  const std::lock_guard lock(mutex_);
  --running_;
  --tasks_;
  Part& part = parts_[index];
  part.queued = false;
  if (!cancelled_) {  // touched ranges can be taken once only: an upload that has ended leaves them to its successor
    absorb_touched(file_->take_touched());
  }
  const bool overtaken = part.changes != changes;
  if (sent) {
    part.uploaded = std::move(*sent);
    part.uploaded.number = static_cast<int>(index) + 1;
    part.sent_once = true;
    part.sent_changes = overtaken ? std::optional<std::uint64_t>{} : changes;
  } else if (is_upload_gone(sent.error())) {
    fail_upload(std::move(sent.error()));
  } else if (!overtaken && !part_error_) {
    log_.debug("part {} of {} was not taken: {}", index + 1, target_.key.str(), describe(sent.error()));
    part_error_ = std::move(sent.error());
  }
  leave();
}

void MultipartUpload::clear_queue() {
  for (const std::size_t index : queue_) {
    parts_[index].queued = false;
  }
  queue_.clear();
}

void MultipartUpload::fail_upload(Error error) {
  clear_queue();
  if (!error_) {
    error_ = std::move(error);
  }
}

void MultipartUpload::leave() {
  start_tasks();
  if (abort_when_idle_ && running_ == 0) {
    pool_.submit([self = shared_from_this()] { self->run_abort(); });
  }
  changed_.notify_all();
}

// ---- waiting ----

Result<void> MultipartUpload::drain(const CallContext& context) { return wait_until_idle(context, false); }

Result<void> MultipartUpload::wait(const CallContext& context) { return wait_until_idle(context, true); }

Result<void> MultipartUpload::wait_until_idle(const CallContext& context, bool stop_at_part_error) {
  const std::stop_callback on_cancel(context.cancel, [this] { cancel(); });
  std::unique_lock lock(mutex_);
  const bool ended = changed_.wait_until(lock, context.deadline,
                                         [&] { return cancelled_ || idle() || (stop_at_part_error && part_error_); });
  if (cancelled_) {
    return fail(Errc::cancelled, "the upload was cancelled");
  }
  if (!ended) {
    return fail(Errc::timeout, "not all parts were sent in time");
  }
  if (error_) {
    return fail(*error_);
  }
  if (stop_at_part_error && part_error_) {
    return fail(*part_error_);
  }
  return {};
}

// ---- ending ----

Result<s3::PutAnswer> MultipartUpload::complete(const s3::WriteCondition& condition, const CallContext& context) {
  std::vector<s3::UploadedPart> uploaded;
  s3::UploadId id;
  {
    const std::lock_guard lock(mutex_);
    for (const Part& part : parts_) {
      uploaded.push_back(part.uploaded);
    }
    id = id_;
  }
  TRY_ASSIGN(s3::PutAnswer answer, store_.complete_upload(target_.key, id, uploaded, condition, context));
  const std::lock_guard lock(mutex_);
  id_.clear();
  return answer;
}

void MultipartUpload::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    create_wanted_ = false;
    clear_queue();
    changed_.notify_all();
  }
  stop_.request_stop();
}

void MultipartUpload::abort() {
  cancel();
  std::unique_lock lock(mutex_);
  abort_when_idle_ = false;
  changed_.wait(lock, [&] { return running_ == 0; });
  const s3::UploadId id = std::exchange(id_, {});
  lock.unlock();
  abort_upload(id);
}

void MultipartUpload::abort_in_background() {
  cancel();
  const std::lock_guard lock(mutex_);
  abort_when_idle_ = true;
  leave();
}

void MultipartUpload::run_abort() {
  std::unique_lock lock(mutex_);
  if (!abort_when_idle_ || running_ > 0) {
    return;
  }
  abort_when_idle_ = false;
  const s3::UploadId id = std::exchange(id_, {});
  ++running_;
  lock.unlock();
  abort_upload(id);
  lock.lock();
  --running_;
  changed_.notify_all();
}

void MultipartUpload::abort_upload(const s3::UploadId& id) {
  if (id.empty()) {
    return;
  }
  const CallContext context{clock_.steady() + kAbortTimeout, {}};
  if (const auto aborted = store_.abort_upload(target_.key, id, context); !aborted) {
    log_.warn("the multipart upload {} of {} is left open, its parts cost storage: {}", id, target_.key.str(), describe(aborted.error()));
  }
}

}  // namespace prefixfs::sync
