#pragma once
// Tries again. See client.h for what it promises.

#include "concurrency_limit.h"
#include "prefixfs/s3/client.h"
#include "retry_budget.h"

namespace prefixfs::s3 {

/// Thread-safe.
class RetryStore final : public ObjectStore {
 public:
  RetryStore(ObjectStore& inner, const RetryOptions& options, const Clock& clock, Random& random, Log& log)
      : inner_(inner), options_(options), clock_(clock), random_(random), log_(log), limit_(options.in_flight_max, clock) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override;
  Result<std::string> tagging(const Key& key, const CallContext& context) override;
  Result<Grants> acl(const Key& key, const CallContext& context) override;
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override;
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override;
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override;
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override;
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override;
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                          const CallContext& context) override;
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override;
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override;
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override;
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override;
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override;
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override;
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override;
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  /// A write on its way through the attempts.
  struct Write {
    WriteCondition condition;      ///< of the next attempt
    const WriteCondition wanted;   ///< the caller's
    const WallTime started;         ///< by our clock
    const SteadyTime started_steady;
    bool unclear = false;          ///< an attempt may have taken place without our knowing
    bool repeated_409 = false;
    Write(const WriteCondition& condition_, const Clock& clock)
        : condition(condition_), wanted(condition_), started(clock.now()), started_steady(clock.steady()) {}
  };

  template <class Work>
  auto repeat(const char* operation, const std::string& key, const CallContext& context, Work work) -> decltype(work());
  template <class Send, class Ours>
  auto write_once(Write& write, const char* operation, const Key& key, const CallContext& context, Send send, Ours ours)
      -> decltype(send(write.condition));
  /// What stands at `key` after an unclear attempt; nothing when it is absent.
  Result<std::optional<ObjectInfo>> look(const Key& key, const CallContext& context);
  /// Sets the condition under which the write may be sent again, now that somebody else's `found` stands there.
  Result<void> guard(Write& write, const char* operation, const Key& key, const std::optional<ObjectInfo>& found);
  /// Nothing: it is not worth another attempt. `taken` is what the attempt costs of the budget.
  std::optional<std::chrono::nanoseconds> next_delay(const Error& error, int attempt, int& taken, const CallContext& context);
  WallTime started_by(const Write& write, const ObjectInfo& found) const;
  void report(const Error& error, int attempt, const std::optional<std::chrono::nanoseconds>& delay);

  ObjectStore& inner_;
  const RetryOptions options_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  RetryBudget budget_;
  ConcurrencyLimit limit_;
};

/// Full jitter: `random` picks from 0 to the bound, which grows with the attempt from 50 ms (500 ms when throttled) to 20 s.
/// Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
std::chrono::nanoseconds backoff(int attempt, bool throttled, std::uint64_t random);

}  // namespace prefixfs::s3
