#include "support/faulty_store.h"

namespace prefixfs::test {

template <class Work>
auto FaultyStore::pass(const char* operation, const std::string& key, Work work) -> decltype(work()) {
  const Call call{operation, key};
  std::function<void(const Call&)> hook;
  std::optional<Fault> fault;
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    hook = hook_;
    fault = take_fault(call);
  }
  if (hook) {
    hook(call);
  }
  if (!fault) {
    std::function<void(const Call&)> after;
    {
      const std::lock_guard lock(mutex_);
      after = after_;
    }
    auto result = work();
    if (after) {
      after(call);
    }
    return result;
  }
  if (fault->after_the_work) {
    if (auto result = work(); !result) {
      return result;
    }
  }
  fault->error.origin.operation = operation;
  fault->error.origin.key = key;
  return fail(fault->error);
}

std::optional<Fault> FaultyStore::take_fault(const Call& call) {
  for (Fault& fault : faults_) {
    const bool matches = (fault.operation.empty() || fault.operation == call.operation) && (fault.key.empty() || fault.key == call.key);
    if (!matches || fault.count == 0) {
      continue;
    }
    if (fault.skip > 0) {
      --fault.skip;
      return std::nullopt;
    }
    if (fault.count > 0) {
      --fault.count;
    }
    return fault;
  }
  return std::nullopt;
}

Result<ObjectInfo> FaultyStore::head(const Key& key, const CallContext& context) {
  return pass("HeadObject", key.str(), [&] { return inner_.head(key, context); });
}

Result<std::string> FaultyStore::tagging(const Key& key, const CallContext& context) {
  return pass("GetObjectTagging", key.str(), [&] { return inner_.tagging(key, context); });
}

Result<Grants> FaultyStore::acl(const Key& key, const CallContext& context) {
  return pass("GetObjectAcl", key.str(), [&] { return inner_.acl(key, context); });
}

Result<s3::RestoreState> FaultyStore::restore(const Key& key, const s3::RestoreOptions& options, const CallContext& context) {
  return pass("RestoreObject", key.str(), [&] { return inner_.restore(key, options, context); });
}

Result<s3::GetAnswer> FaultyStore::get(const Key& key, const s3::GetOptions& options, s3::GetSink& sink, const CallContext& context) {
  return pass("GetObject", key.str(), [&] { return inner_.get(key, options, sink, context); });
}

Result<s3::PutAnswer> FaultyStore::put(const Key& key, const BodySource& body, const s3::ObjectHeaders& headers, const s3::WriteCondition& condition,
                                       const CallContext& context) {
  return pass("PutObject", key.str(), [&] { return inner_.put(key, body, headers, condition, context); });
}

Result<void> FaultyStore::remove(const Key& key, const ETag& if_match, const CallContext& context) {
  return pass("DeleteObject", key.str(), [&] { return inner_.remove(key, if_match, context); });
}

Result<std::vector<s3::DeleteOutcome>> FaultyStore::remove_many(std::span<const s3::RemoveTarget> targets, const CallContext& context) {
  return pass("DeleteObjects", targets.empty() ? std::string() : targets.front().key.str(),
              [&] { return inner_.remove_many(targets, context); });
}

Result<s3::CopyAnswer> FaultyStore::copy(const s3::CopySource& source, const Key& destination, const s3::CopyOptions& options,
                                         const CallContext& context) {
  return pass("CopyObject", destination.str(), [&] { return inner_.copy(source, destination, options, context); });
}

Result<s3::ListPage> FaultyStore::list(const s3::ListOptions& options, const CallContext& context) {
  return pass("ListObjectsV2", options.prefix, [&] { return inner_.list(options, context); });
}

Result<s3::UploadId> FaultyStore::create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) {
  return pass("CreateMultipartUpload", key.str(), [&] { return inner_.create_upload(key, headers, context); });
}

Result<s3::UploadedPart> FaultyStore::upload_part(const Key& key, const s3::UploadId& upload, int number, const BodySource& body,
                                                  const CallContext& context) {
  return pass("UploadPart", key.str(), [&] { return inner_.upload_part(key, upload, number, body, context); });
}

Result<s3::UploadedPart> FaultyStore::upload_part_copy(const Key& key, const s3::UploadId& upload, int number, const s3::CopySource& source,
                                                       ByteRange range, const CallContext& context) {
  return pass("UploadPartCopy", key.str(), [&] { return inner_.upload_part_copy(key, upload, number, source, range, context); });
}

Result<s3::PutAnswer> FaultyStore::complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                                   const s3::WriteCondition& condition, const CallContext& context) {
  return pass("CompleteMultipartUpload", key.str(), [&] { return inner_.complete_upload(key, upload, parts, condition, context); });
}

Result<void> FaultyStore::abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) {
  return pass("AbortMultipartUpload", key.str(), [&] { return inner_.abort_upload(key, upload, context); });
}

Result<std::vector<s3::OpenUpload>> FaultyStore::list_uploads(const std::string& prefix, const CallContext& context) {
  return pass("ListMultipartUploads", prefix, [&] { return inner_.list_uploads(prefix, context); });
}

}  // namespace prefixfs::test
