#pragma once
// Wraps any ObjectStore; fails the calls that a test names, and counts and remembers all of them.

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
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

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override;
  Result<std::string> tagging(const Key& key, const CallContext& context) override;
  Result<Grants> acl(const Key& key, const CallContext& context) override;
  Result<s3::RestoreState> restore(const Key& key, const s3::RestoreOptions& options, const CallContext& context) override;
  Result<s3::GetAnswer> get(const Key& key, const s3::GetOptions& options, s3::GetSink& sink, const CallContext& context) override;
  Result<s3::PutAnswer> put(const Key& key, const BodySource& body, const s3::ObjectHeaders& headers,
                            const s3::WriteCondition& condition, const CallContext& context) override;
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override;
  Result<std::vector<s3::DeleteOutcome>> remove_many(std::span<const s3::RemoveTarget> targets, const CallContext& context) override;
  Result<s3::CopyAnswer> copy(const s3::CopySource& source, const Key& destination, const s3::CopyOptions& options,
                              const CallContext& context) override;
  Result<s3::ListPage> list(const s3::ListOptions& options, const CallContext& context) override;
  Result<s3::UploadId> create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) override;
  Result<s3::UploadedPart> upload_part(const Key& key, const s3::UploadId& upload, int number, const BodySource& body,
                                       const CallContext& context) override;
  Result<s3::UploadedPart> upload_part_copy(const Key& key, const s3::UploadId& upload, int number, const s3::CopySource& source,
                                            ByteRange range, const CallContext& context) override;
  Result<s3::PutAnswer> complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                        const s3::WriteCondition& condition, const CallContext& context) override;
  Result<void> abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) override;
  Result<std::vector<s3::OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override;
  s3::Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  template <class Work>
  auto pass(const char* operation, const std::string& key, Work work) -> decltype(work());
  std::optional<Fault> take_fault(const Call& call);

  s3::ObjectStore& inner_;
  mutable std::mutex mutex_;
  std::vector<Fault> faults_;
  std::vector<Call> calls_;
  std::function<void(const Call&)> hook_;
  std::function<void(const Call&)> after_;
};

}  // namespace prefixfs::test
