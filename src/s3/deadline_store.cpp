#include <algorithm>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {
namespace {

class DeadlineStore final : public ObjectStore {
 public:
  DeadlineStore(ObjectStore& inner, const DeadlineOptions& options, const Clock& clock) : inner_(inner), options_(options), clock_(clock) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override { return inner_.head(key, bounded(context, 0)); }
  Result<std::string> tagging(const Key& key, const CallContext& context) override { return inner_.tagging(key, bounded(context, 0)); }
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    return inner_.get(key, options, sink, bounded(context, options.range ? options.range->length() : kObjectBytesMax));
  }
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    return inner_.put(key, body, headers, condition, bounded(context, body.size()));
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return inner_.remove(key, if_match, bounded(context, 0));
  }
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const Key> keys, const CallContext& context) override {
    return inner_.remove_many(keys, bounded(context, 0));
  }
  // S3 copies on its own side; its speed for one object is that of a fast download.
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context) override {
    return inner_.copy(source, destination, options, bounded(context, kServerSideBytes));
  }
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override { return inner_.list(options, bounded(context, 0)); }
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    return inner_.create_upload(key, headers, bounded(context, 0));
  }
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    return inner_.upload_part(key, upload, number, body, bounded(context, body.size()));
  }
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    return inner_.upload_part_copy(key, upload, number, source, range, bounded(context, kServerSideBytes));
  }
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    return inner_.complete_upload(key, upload, parts, condition, bounded(context, kServerSideBytes));
  }
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    return inner_.abort_upload(key, upload, bounded(context, 0));
  }
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return inner_.list_uploads(prefix, bounded(context, 0));
  }
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  // What S3 does by itself may take a minute beyond the usual answer.
  static constexpr std::uint64_t kServerSideBytes = 60 << 20;

  CallContext bounded(const CallContext& context, std::uint64_t bytes) const {
    const auto transfer = std::chrono::seconds(bytes / options_.bytes_per_second);
    return {.deadline = std::min(context.deadline, clock_.steady() + options_.answer_time + transfer), .cancel = context.cancel};
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
