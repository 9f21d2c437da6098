// While the program writes: parts that can be sent early. And the ways that commit() chooses from.

#include "staged_upload.h"

#include <fmt/format.h>

#include <chrono>

#include "streamed_parts.h"

namespace prefixfs::sync {

namespace {

constexpr std::chrono::minutes kEarlyPartTimeout(5);
constexpr int kPlansMax = 5;

}  // namespace

StagedUpload::~StagedUpload() {
  if (const auto stream = take_stream()) {
    stream->abort();
  }
}

std::shared_ptr<MultipartUpload> StagedUpload::make_upload(const UploadTarget& target, const ETag& base_etag) {
  return std::make_shared<MultipartUpload>(store_, pool_, clock_, log_, file_, MultipartTarget{target.key, target.headers, base_etag},
                                           options_.parts_in_flight_per_file);
}

// ---- early parts ----

void StagedUpload::wrote(ByteRange /*range*/, std::uint64_t sequential_end, const UploadTarget& target) {
  const PlanLimits& limits = options_.limits;
  const std::lock_guard lock(mutex_);
  if (committing_ || !early_allowed_ || sequential_end <= limits.part_bytes || file_->base_size() != 0) {
    return;
  }
  if (stream_ && stream_->target().key != target.key) {
    abandon_locked();  // renamed: parts cannot change their key
    return;
  }
  const bool begins = !stream_;
  if (begins) {
    stream_ = make_upload(target, {});
  }
  const std::size_t first = stream_->parts();
  std::size_t index = first;
  std::uint64_t at = stream_->end();
  // The last number stays free for the rest, whose size is not known yet.
  for (; index + 1 < static_cast<std::size_t>(limits.parts_max); ++index) {
    const std::uint64_t part_end = at + streamed_part_bytes(index, limits);
    if (part_end > sequential_end) {
      break;
    }
    stream_->add_part({PlannedPart::From::staged, {at, part_end}});
    at = part_end;
  }
  if (index > first) {
    stream_->send(first, {clock_.steady() + kEarlyPartTimeout, {}});
  }
  if (begins) {
    stream_->create_in_background();
  }
}

void StagedUpload::abandon() {
  const std::lock_guard lock(mutex_);
  abandon_locked();
}

void StagedUpload::abandon_locked() {
  early_allowed_ = false;
  if (stream_) {
    stream_->abort_in_background();
    ending_.push_back(std::move(stream_));
    stream_.reset();
  }
}

std::shared_ptr<MultipartUpload> StagedUpload::take_stream() {
  std::vector<std::shared_ptr<MultipartUpload>> ending;
  std::shared_ptr<MultipartUpload> stream;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(ending_);
    stream.swap(stream_);
    committing_ = true;
  }
  for (const auto& upload : ending) {
    upload->abort();
  }
  return stream;
}

/// Cuts what the early parts leave of `size` bytes. False: the file has become shorter than they are, or does not fit.
bool StagedUpload::lay_out_rest(MultipartUpload& upload, std::uint64_t size) const {
  std::uint64_t at = upload.end();
  std::size_t index = upload.parts();
  while (at < size && index < static_cast<std::size_t>(options_.limits.parts_max)) {
    const std::uint64_t part_end = std::min(at + streamed_part_bytes(index, options_.limits), size);
    upload.add_part({PlannedPart::From::staged, {at, part_end}});
    at = part_end;
    ++index;
  }
  return at == size;
}

// ---- commit ----

Result<Committed> StagedUpload::commit(const UploadTarget& target, const FillRanges& fill, const CallContext& context) {
  const auto committed = [&]() -> Result<Committed> {
    if (const auto stream = take_stream()) {
      TRY_ASSIGN(std::optional<Committed> done, commit_stream(*stream, target, context));
      if (done) {
        return std::move(*done);
      }
    }
    return commit_planned(target, fill, context);
  }();
  const std::lock_guard lock(mutex_);
  committing_ = false;
  early_allowed_ = true;
  return committed;
}

StagedUpload::Attempt StagedUpload::commit_stream(MultipartUpload& upload, const UploadTarget& target, const CallContext& context) {
  if (Result<void> drained = upload.drain(context); !drained) {
    upload.abort();
    if (context.cancel.stop_requested() || clock_.steady() >= context.deadline) {
      return fail(std::move(drained.error()));
    }
    // The upload could not be created, or is gone: no reason to give up, the whole file still is here.
    return std::optional<Committed>{};
  }
  const std::uint64_t size = file_->size();
  const bool fits = upload.target().key == target.key && size <= options_.limits.object_bytes_max && lay_out_rest(upload, size);
  Attempt attempt = fits ? send_until_current(upload, target.condition, context) : Attempt(std::optional<Committed>{});
  if (!attempt || !*attempt) {
    upload.abort();
  }
  return attempt;
}

Result<Committed> StagedUpload::commit_planned(const UploadTarget& target, const FillRanges& fill, const CallContext& context) {
  bool may_copy = options_.limits.can_copy_parts && !target.base_etag.empty() && store_.capabilities().part_copy != s3::Support::no;
  for (int plan = 1; plan <= kPlansMax; ++plan) {
    Attempt attempt = attempt_plan(may_copy, plan == kPlansMax, target, fill, context);
    if (!attempt && attempt.error().code == Errc::unsupported && may_copy) {
      may_copy = false;  // the endpoint has no UploadPartCopy after all: send everything
      continue;
    }
    TRY_ASSIGN(std::optional<Committed> done, std::move(attempt));
    if (done) {
      return std::move(*done);
    }
  }
  return fail(Errc::busy, fmt::format("{} is written to faster than it can be stored", target.key.str()));
}

}  // namespace prefixfs::sync
