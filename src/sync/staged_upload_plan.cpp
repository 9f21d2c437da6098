// One attempt to store the whole file: by one PutObject, or by a multipart upload that copies what has not changed.

#include <fmt/format.h>

#include "guarded_body.h"
#include "staged_upload.h"

namespace prefixfs::sync {

namespace {

constexpr int kRoundsMax = 3;

/// An upload that somebody else has ended (a lifecycle rule, an administrator) is no verdict on the object: plan again.
Result<std::optional<Committed>> give_up(Error error) {
  if (is_upload_gone(error)) {
    return std::optional<Committed>{};
  }
  return fail(std::move(error));
}

}  // namespace

StagedUpload::Attempt StagedUpload::attempt_plan(bool may_copy, bool last, const UploadTarget& target, const FillRanges& fill,
                                                 const CallContext& context) {
  const stage::Moment moment = file_->take_moment();
  PlanLimits limits = options_.limits;
  limits.can_copy_parts = may_copy;
  TRY_ASSIGN(const UploadPlan plan, plan_upload(moment.size, may_copy ? moment.base_size : 0, moment.dirty, limits));
  TRY(fetch(plan, moment, fill, context));
  if (!plan.single_put) {
    return send_parts(plan, target, context);
  }
  return last ? put_copy(target, context) : put_moment(moment, target, context);
}

/// What is to be sent, was not written here and has not been read either.
Result<void> StagedUpload::fetch(const UploadPlan& plan, const stage::Moment& moment, const FillRanges& fill, const CallContext& context) {
  const auto missing = [&] {
    std::vector<ByteRange> found;
    for (const ByteRange& range : plan.staged_ranges(moment.size)) {
      const auto gaps = file_->missing(range);
      found.insert(found.end(), gaps.begin(), gaps.end());
    }
    return found;
  };
  const std::vector<ByteRange> wanted = missing();
  if (wanted.empty()) {
    return {};
  }
  if (!fill) {
    return fail(Errc::internal, "bytes of the stored version are missing, and nobody fetches them");
  }
  TRY(fill(wanted, context));
  if (!missing().empty()) {
    return fail(Errc::io, fmt::format("bytes of the stored version that were fetched are not in {}", file_->path().native()));
  }
  return {};
}

StagedUpload::Attempt StagedUpload::put_moment(const stage::Moment& moment, const UploadTarget& target, const CallContext& context) {
  const GuardedBody body(*file_, moment);
  auto answer = store_.put(target.key, body, target.headers, target.condition, context);
  if (!answer && body.changed()) {
    return std::optional<Committed>{};
  }
  TRY_ASSIGN(s3::PutAnswer stored, std::move(answer));
  return Committed{std::move(stored.etag), moment.size, moment.change_count, target.headers};
}

/// For a small file that is written to all the time: its bytes are taken at one moment, into memory.
StagedUpload::Attempt StagedUpload::put_copy(const UploadTarget& target, const CallContext& context) {
  const std::uint64_t change_count = file_->change_count();
  std::vector<std::byte> copy(options_.limits.part_bytes + 1);
  TRY_ASSIGN(const std::size_t size, file_->read(0, copy));
  if (size == copy.size()) {
    return std::optional<Committed>{};  // it has grown beyond a single PutObject
  }
  const SpanSource body(std::span<const std::byte>(copy).first(size));
  TRY_ASSIGN(s3::PutAnswer stored, store_.put(target.key, body, target.headers, target.condition, context));
  return Committed{std::move(stored.etag), size, change_count, target.headers};
}

StagedUpload::Attempt StagedUpload::send_parts(const UploadPlan& plan, const UploadTarget& target, const CallContext& context) {
  const auto upload = make_upload(target, target.base_etag);
  for (const PlannedPart& part : plan.parts) {
    upload->add_part(part);
  }
  TRY(upload->create(context));
  Attempt attempt = send_until_current(*upload, target.condition, context);
  if (!attempt || !*attempt) {
    upload->abort();
  }
  return attempt;
}

/// Sends what S3 does not have, and again what was written to meanwhile, until there is a moment at which S3 has it all. A program that
/// never
/// stops writing gets an object that mixes a few of its last writes, as after any fsync() beside a write(); the change count is an older
/// one then,
/// so that the file stays `changed`.
StagedUpload::Attempt StagedUpload::send_until_current(MultipartUpload& upload, const s3::WriteCondition& condition,
                                                       const CallContext& context) {
  MultipartUpload::State state = upload.state();
  std::uint64_t change_count = state.moment.change_count;
  for (int round = 0; !state.current; ++round) {
    if (!state.layout_holds) {
      return std::optional<Committed>{};
    }
    if (round == kRoundsMax && state.sent_once) {
      break;
    }
    if (round >= kRoundsMax) {
      return std::optional<Committed>{};
    }
    change_count = state.moment.change_count;
    upload.send(0, context);
    if (Result<void> sent = upload.wait(context); !sent) {
      return give_up(std::move(sent.error()));
    }
    state = upload.state();
  }
  if (state.current) {
    change_count = state.moment.change_count;
  }
  auto stored = upload.complete(condition, context);
  if (!stored) {
    return give_up(std::move(stored.error()));
  }
  return Committed{std::move(stored->etag), upload.end(), change_count, upload.target().headers};
}

}  // namespace prefixfs::sync
