#pragma once

#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

/// Hands every call on as it is: for a decorator that has something to say to a few of them.
class ForwardingStore : public ObjectStore {
 public:
  explicit ForwardingStore(ObjectStore& inner) : inner_(inner) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override { return inner_.head(key, context); }
  Result<std::string> tagging(const Key& key, const CallContext& context) override { return inner_.tagging(key, context); }
  Result<Grants> acl(const Key& key, const CallContext& context) override { return inner_.acl(key, context); }
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override {
    return inner_.restore(key, options, context);
  }
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    return inner_.get(key, options, sink, context);
  }
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    return inner_.put(key, body, headers, condition, context);
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return inner_.remove(key, if_match, context);
  }
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override {
    return inner_.remove_many(targets, context);
  }
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context) override {
    return inner_.copy(source, destination, options, context);
  }
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override { return inner_.list(options, context); }
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    return inner_.create_upload(key, headers, context);
  }
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    return inner_.upload_part(key, upload, number, body, context);
  }
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    return inner_.upload_part_copy(key, upload, number, source, range, context);
  }
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    return inner_.complete_upload(key, upload, parts, condition, context);
  }
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    return inner_.abort_upload(key, upload, context);
  }
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return inner_.list_uploads(prefix, context);
  }
  Capabilities capabilities() const override { return inner_.capabilities(); }

 protected:
  ObjectStore& inner_;
};

}  // namespace prefixfs::s3
