#include <algorithm>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {
namespace {

class DeadlineStore final : public ObjectStore {
 public:
  DeadlineStore(ObjectStore& inner, const DeadlineOptions& options, const Clock& clock) : inner_(inner), options_(options), clock_(clock) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override { return inner_.head(key, bounded(context)); }
  Result<std::string> tagging(const Key& key, const CallContext& context) override { return inner_.tagging(key, bounded(context)); }
  Result<Grants> acl(const Key& key, const CallContext& context) override { return inner_.acl(key, bounded(context)); }
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override {
    return inner_.restore(key, options, bounded(context));
  }
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    MovingDeadline moving = outage_time();
    return inner_.get(key, options, sink, with(moving, context));
  }
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    MovingDeadline moving = outage_time(body.size());
    return inner_.put(key, body, headers, condition, with(moving, context));
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return inner_.remove(key, if_match, bounded(context));
  }
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override {
    return inner_.remove_many(targets, bounded(context));
  }
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context) override {
    MovingDeadline moving = outage_time();
    return inner_.copy(source, destination, options, slow(moving, context));
  }
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override { return inner_.list(options, bounded(context)); }
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    return inner_.create_upload(key, headers, bounded(context));
  }
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    MovingDeadline moving = outage_time(body.size());
    return inner_.upload_part(key, upload, number, body, with(moving, context));
  }
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    MovingDeadline moving = outage_time();
    return inner_.upload_part_copy(key, upload, number, source, range, slow(moving, context));
  }
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    MovingDeadline moving = outage_time();
    return inner_.complete_upload(key, upload, parts, condition, slow(moving, context));
  }
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    return inner_.abort_upload(key, upload, bounded(context));
  }
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return inner_.list_uploads(prefix, bounded(context));
  }
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  /// The bytes are under way before the answer, and a server with slow disks stores them while it seems to do nothing.
  MovingDeadline outage_time(std::uint64_t bytes_to_store = 0) const {
    return MovingDeadline(clock_.steady() + options_.answer_time + std::chrono::seconds(bytes_to_store / options_.stored_bytes_per_second));
  }

  /// For calls whose answer is small.
  CallContext bounded(const CallContext& context) const {
    const SteadyTime end = clock_.steady() + options_.answer_time;
    return {.deadline = std::min(context.deadline, end), .cancel = context.cancel, .moving = context.moving};
  }
  /// For calls that move bytes.
  static CallContext with(MovingDeadline& moving, const CallContext& context) {
    return {.deadline = context.deadline, .cancel = context.cancel, .moving = &moving};
  }
  /// For what S3 works on by itself.
  CallContext slow(MovingDeadline& moving, const CallContext& context) const {
    const SteadyTime end = clock_.steady() + options_.slow_operation_time;
    return {.deadline = std::min(context.deadline, end), .cancel = context.cancel, .moving = &moving};
  }

  ObjectStore& inner_;
  const DeadlineOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_deadline_store(ObjectStore& inner, const DeadlineOptions& options, const Clock& clock) {
  return std::make_unique<DeadlineStore>(inner, options, clock);
}

}  // namespace prefixfs::s3
