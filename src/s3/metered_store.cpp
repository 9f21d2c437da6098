#include <fmt/format.h>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

namespace {

using Counter = std::atomic<std::uint64_t>;

/// Counts what really arrived, also of a transfer that fails.
class CountingSink final : public GetSink {
 public:
  CountingSink(GetSink& sink, Counter& received) : sink_(sink), received_(received) {}
  Result<void> begin(const GetAnswer& answer) override { return sink_.begin(answer); }
  Result<void> accept(std::span<const std::byte> data) override {
    received_ += data.size();
    return sink_.accept(data);
  }

 private:
  GetSink& sink_;
  Counter& received_;
};

class MeteredStore final : public ObjectStore {
 public:
  MeteredStore(ObjectStore& inner, const Clock& clock, Metrics& metrics) : inner_(inner), clock_(clock), metrics_(metrics) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override {
    return measure(head_, [&] { return inner_.head(key, context); });
  }
  Result<std::string> tagging(const Key& key, const CallContext& context) override {
    return measure(tagging_, [&] { return inner_.tagging(key, context); });
  }
  Result<Grants> acl(const Key& key, const CallContext& context) override {
    return measure(acl_, [&] { return inner_.acl(key, context); });
  }
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override {
    return measure(restore_, [&] { return inner_.restore(key, options, context); });
  }
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    CountingSink counting(sink, bytes_received_);
    return measure(get_, [&] { return inner_.get(key, options, counting, context); });
  }
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    return sent(body, measure(put_, [&] { return inner_.put(key, body, headers, condition, context); }));
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return measure(remove_, [&] { return inner_.remove(key, if_match, context); });
  }
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override {
    return measure(remove_many_, [&] { return inner_.remove_many(targets, context); });
  }
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                          const CallContext& context) override {
    return measure(copy_, [&] { return inner_.copy(source, destination, options, context); });
  }
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override {
    return measure(list_, [&] { return inner_.list(options, context); });
  }
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    return measure(create_upload_, [&] { return inner_.create_upload(key, headers, context); });
  }
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    return sent(body, measure(upload_part_, [&] { return inner_.upload_part(key, upload, number, body, context); }));
  }
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    return measure(upload_part_copy_, [&] { return inner_.upload_part_copy(key, upload, number, source, range, context); });
  }
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    return measure(complete_upload_, [&] { return inner_.complete_upload(key, upload, parts, condition, context); });
  }
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    return measure(abort_upload_, [&] { return inner_.abort_upload(key, upload, context); });
  }
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return measure(list_uploads_, [&] { return inner_.list_uploads(prefix, context); });
  }
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  /// The counters of one operation, looked up once.
  struct Operation {
    Operation(Metrics& metrics, const char* name)
        : requests(metrics.counter(fmt::format("s3.{}.requests", name))),
          errors(metrics.counter(fmt::format("s3.{}.errors", name))),
          microseconds(metrics.counter(fmt::format("s3.{}.microseconds", name))) {}
    Counter& requests;
    Counter& errors;
    Counter& microseconds;
  };

  template <class Work>
  auto measure(Operation& operation, Work work) -> decltype(work()) {
    const SteadyTime start = clock_.steady();
    ++operation.requests;
    auto result = work();
    if (!result) {
      ++operation.errors;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start);
    operation.microseconds += static_cast<std::uint64_t>(took.count());
    return result;
  }

  template <class T>
  Result<T> sent(const BodySource& body, Result<T> result) {
    if (result) {
      bytes_sent_ += body.size();
    }
    return result;
  }

  ObjectStore& inner_;
  const Clock& clock_;
  Metrics& metrics_;
  Counter& bytes_sent_ = metrics_.counter("s3.bytes_sent");
  Counter& bytes_received_ = metrics_.counter("s3.bytes_received");
  Operation head_{metrics_, "HeadObject"};
  Operation tagging_{metrics_, "GetObjectTagging"};
  Operation acl_{metrics_, "GetObjectAcl"};
  Operation restore_{metrics_, "RestoreObject"};
  Operation get_{metrics_, "GetObject"};
  Operation put_{metrics_, "PutObject"};
  Operation remove_{metrics_, "DeleteObject"};
  Operation remove_many_{metrics_, "DeleteObjects"};
  Operation copy_{metrics_, "CopyObject"};
  Operation list_{metrics_, "ListObjectsV2"};
  Operation create_upload_{metrics_, "CreateMultipartUpload"};
  Operation upload_part_{metrics_, "UploadPart"};
  Operation upload_part_copy_{metrics_, "UploadPartCopy"};
  Operation complete_upload_{metrics_, "CompleteMultipartUpload"};
  Operation abort_upload_{metrics_, "AbortMultipartUpload"};
  Operation list_uploads_{metrics_, "ListMultipartUploads"};
};

}  // namespace

std::unique_ptr<ObjectStore> make_metered_store(ObjectStore& inner, const Clock& clock, Metrics& metrics) {
  return std::make_unique<MeteredStore>(inner, clock, metrics);
}

}  // namespace prefixfs::s3
