#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "multipart_upload.h"
#include "prefixfs/sync/file_upload.h"

namespace prefixfs::sync {

class StagedUpload final : public FileUpload {
 public:
  StagedUpload(s3::ObjectStore& store, WorkerPool& pool, const UploaderOptions& options, const Clock& clock, Log& log,
               std::shared_ptr<stage::StagedFile> file)
      : store_(store), pool_(pool), options_(options), clock_(clock), log_(log), file_(std::move(file)) {}
  ~StagedUpload() override;

  void wrote(ByteRange range, std::uint64_t sequential_end, const UploadTarget& target) override;
  void abandon() override;
  Result<Committed> commit(const UploadTarget& target, const FillRanges& fill, const CallContext& context) override;

 private:
  /// Nothing: what was planned no longer fits the file, and a new plan is needed. Nothing is open then.
  using Attempt = Result<std::optional<Committed>>;

  std::shared_ptr<MultipartUpload> make_upload(const UploadTarget& target, const ETag& base_etag);
  void abandon_locked();
  /// What wrote() has begun belongs to the commit from here on.
  std::shared_ptr<MultipartUpload> take_stream();

  Attempt commit_stream(MultipartUpload& upload, const UploadTarget& target, const CallContext& context);
  Result<Committed> commit_planned(const UploadTarget& target, const FillRanges& fill, const CallContext& context);
  Attempt attempt_plan(bool may_copy, bool last, const UploadTarget& target, const FillRanges& fill, const CallContext& context);
  Result<void> fetch(const UploadPlan& plan, const stage::Moment& moment, const FillRanges& fill, const CallContext& context);
  Attempt put_moment(const stage::Moment& moment, const UploadTarget& target, const CallContext& context);
  Attempt put_copy(const UploadTarget& target, const CallContext& context);
  Attempt send_parts(const UploadPlan& plan, const UploadTarget& target, const CallContext& context);
  Attempt send_until_current(MultipartUpload& upload, const s3::WriteCondition& condition, const CallContext& context);
  bool lay_out_rest(MultipartUpload& upload, std::uint64_t size) const;

  s3::ObjectStore& store_;
  WorkerPool& pool_;
  const UploaderOptions options_;
  const Clock& clock_;
  Log& log_;
  const std::shared_ptr<stage::StagedFile> file_;

  std::mutex mutex_;  ///< of the fields below; taken before those of the uploads, never held over a call of the store
  std::shared_ptr<MultipartUpload> stream_;               ///< parts that are sent while the program writes
  std::vector<std::shared_ptr<MultipartUpload>> ending_;  ///< abandoned ones, until somebody can wait for them
  bool early_allowed_ = true;
  bool committing_ = false;
};

}  // namespace prefixfs::sync
