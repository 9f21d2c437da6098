#pragma once
// Wraps any ObjectStore; fails the calls that a test names, and counts and remembers all of them.

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prefixfs/s3/object_store.h"

namespace prefixfs::test {

/// One rule. The first rule that matches a call and has failures left decides.
struct Fault {
  std::string operation;  ///< "PutObject"; empty: every operation
  std::string key;        ///< empty: every key
  int skip = 0;           ///< matching calls that pass first
  int count = 1;          ///< how many fail then; negative: all
  Error error{Errc::unavailable, "a fault of the test", {}};
  /// The inner store does its work, and only the answer is lost: what a reset connection looks like.
  bool after_the_work = false;
};

/// Thread-safe.
class FaultyStore final : public s3::ObjectStore {
 public:
  struct Call {
    std::string operation;
    std::string key;
  };

  explicit FaultyStore(s3::ObjectStore& inner) : inner_(inner) {}

  void add(Fault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(std::move(fault));
  }
  void clear_faults() {
    const std::lock_guard lock(mutex_);
    faults_.clear();
  }
  /// Runs before each call without a lock held, for tests that step in between (another client's write, a gate).
  void before_each(std::function<void(const Call&)> hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
  }
  void after_each(std::function<void(const Call&)> hook) {
    const std::lock_guard lock(mutex_);
    after_ = std::move(hook);
  }
  std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  /// Calls so far of `operation`; "" counts all.
  int count(std::string_view operation = {}) const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::count_if(calls_.begin(), calls_.end(),
                                          [&](const Call& call) { return operation.empty() || call.operation == operation; }));
  }
  void forget_calls() {
    const std::lock_guard lock(mutex_);
    calls_.clear();
  }

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override {
    return pass("HeadObject", key.str(), [&] { return inner_.head(key, context); });
  }
  Result<std::string> tagging(const Key& key, const CallContext& context) override {
    return pass("GetObjectTagging", key.str(), [&] { return inner_.tagging(key, context); });
  }
  Result<Grants> acl(const Key& key, const CallContext& context) override {
    return pass("GetObjectAcl", key.str(), [&] { return inner_.acl(key, context); });
  }
  Result<s3::RestoreState> restore(const Key& key, const s3::RestoreOptions& options, const CallContext& context) override {
    return pass("RestoreObject", key.str(), [&] { return inner_.restore(key, options, context); });
  }
  Result<s3::GetAnswer> get(const Key& key, const s3::GetOptions& options, s3::GetSink& sink, const CallContext& context) override {
    return pass("GetObject", key.str(), [&] { return inner_.get(key, options, sink, context); });
  }
  Result<s3::PutAnswer> put(const Key& key, const BodySource& body, const s3::ObjectHeaders& headers,
                            const s3::WriteCondition& condition, const CallContext& context) override {
    return pass("PutObject", key.str(), [&] { return inner_.put(key, body, headers, condition, context); });
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return pass("DeleteObject", key.str(), [&] { return inner_.remove(key, if_match, context); });
  }
  Result<std::vector<s3::DeleteOutcome>> remove_many(std::span<const s3::RemoveTarget> targets, const CallContext& context) override {
    return pass("DeleteObjects", targets.empty() ? std::string() : targets.front().key.str(),
                [&] { return inner_.remove_many(targets, context); });
  }
  Result<s3::CopyAnswer> copy(const s3::CopySource& source, const Key& destination, const s3::CopyOptions& options,
                              const CallContext& context) override {
    return pass("CopyObject", destination.str(), [&] { return inner_.copy(source, destination, options, context); });
  }
  Result<s3::ListPage> list(const s3::ListOptions& options, const CallContext& context) override {
    return pass("ListObjectsV2", options.prefix, [&] { return inner_.list(options, context); });
  }
  Result<s3::UploadId> create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) override {
    return pass("CreateMultipartUpload", key.str(), [&] { return inner_.create_upload(key, headers, context); });
  }
  Result<s3::UploadedPart> upload_part(const Key& key, const s3::UploadId& upload, int number, const BodySource& body,
                                       const CallContext& context) override {
    return pass("UploadPart", key.str(), [&] { return inner_.upload_part(key, upload, number, body, context); });
  }
  Result<s3::UploadedPart> upload_part_copy(const Key& key, const s3::UploadId& upload, int number, const s3::CopySource& source,
                                            ByteRange range, const CallContext& context) override {
    return pass("UploadPartCopy", key.str(), [&] { return inner_.upload_part_copy(key, upload, number, source, range, context); });
  }
  Result<s3::PutAnswer> complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                        const s3::WriteCondition& condition, const CallContext& context) override {
    return pass("CompleteMultipartUpload", key.str(), [&] { return inner_.complete_upload(key, upload, parts, condition, context); });
  }
  Result<void> abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) override {
    return pass("AbortMultipartUpload", key.str(), [&] { return inner_.abort_upload(key, upload, context); });
  }
  Result<std::vector<s3::OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return pass("ListMultipartUploads", prefix, [&] { return inner_.list_uploads(prefix, context); });
  }
  s3::Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  template <class Work>
  auto pass(const char* operation, const std::string& key, Work work) -> decltype(work()) {
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

  std::optional<Fault> take_fault(const Call& call) {
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

  s3::ObjectStore& inner_;
  mutable std::mutex mutex_;
  std::vector<Fault> faults_;
  std::vector<Call> calls_;
  std::function<void(const Call&)> hook_;
  std::function<void(const Call&)> after_;
};

}  // namespace prefixfs::test
