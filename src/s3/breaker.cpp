#include "prefixfs/s3/breaker.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace prefixfs::s3 {
namespace {

/// Passes each call to `around`, which gets a function that makes it.
template <class Around>
class AroundStore final : public ObjectStore {
 public:
  AroundStore(ObjectStore& inner, Around around) : inner_(inner), around_(around) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override {
    return around_([&] { return inner_.head(key, context); });
  }
  Result<std::string> tagging(const Key& key, const CallContext& context) override {
    return around_([&] { return inner_.tagging(key, context); });
  }
  Result<Grants> acl(const Key& key, const CallContext& context) override {
    return around_([&] { return inner_.acl(key, context); });
  }
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override {
    return around_([&] { return inner_.restore(key, options, context); });
  }
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override {
    return around_([&] { return inner_.get(key, options, sink, context); });
  }
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override {
    return around_([&] { return inner_.put(key, body, headers, condition, context); });
  }
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override {
    return around_([&] { return inner_.remove(key, if_match, context); });
  }
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override {
    return around_([&] { return inner_.remove_many(targets, context); });
  }
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context) override {
    return around_([&] { return inner_.copy(source, destination, options, context); });
  }
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override {
    return around_([&] { return inner_.list(options, context); });
  }
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override {
    return around_([&] { return inner_.create_upload(key, headers, context); });
  }
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override {
    return around_([&] { return inner_.upload_part(key, upload, number, body, context); });
  }
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override {
    return around_([&] { return inner_.upload_part_copy(key, upload, number, source, range, context); });
  }
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override {
    return around_([&] { return inner_.complete_upload(key, upload, parts, condition, context); });
  }
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override {
    return around_([&] { return inner_.abort_upload(key, upload, context); });
  }
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override {
    return around_([&] { return inner_.list_uploads(prefix, context); });
  }
  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  ObjectStore& inner_;
  Around around_;
};

struct Watch {
  Breaker& breaker;
  const bool opens;
  template <class Call>
  auto operator()(Call call) -> decltype(call()) {
    auto done = call();
    if (done || opens || !is_outage(done.error())) {
      breaker.learn(done ? nullptr : &done.error());
    }
    return done;
  }
};

struct Break {
  const Breaker& breaker;
  template <class Call>
  auto operator()(Call call) -> decltype(call()) {
    if (auto why = breaker.why()) {
      why->code = Errc::unavailable;
      why->what = "S3 does not answer at present: " + why->what;
      why->origin.not_sent = true;
      return fail(std::move(*why));
    }
    return call();
  }
};

}  // namespace

bool is_outage(const Error& error) {
  // SlowDown is an answer, and RetryStore's matter.
  const bool no_answer = error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::credentials;
  return no_answer || error.origin.s3_code == "RequestTimeTooSkewed";
}

std::optional<Error> Breaker::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

bool Breaker::wait_until_open(std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  return opened_.wait(lock, std::move(stop), [this] { return why_.has_value(); });
}

WallTime Breaker::since() const {
  const std::lock_guard lock(mutex_);
  return since_;
}

void Breaker::learn(const Error* error) {
  if (error != nullptr && error->code == Errc::cancelled) {
    return;  // the caller's own wish
  }
  const bool outage = error != nullptr && is_outage(*error);
  const std::lock_guard lock(mutex_);
  if (outage && !why_) {
    since_ = clock_.now();
    log_.error("S3 does not answer; calls no longer wait for it until it does: {}", describe(*error));
  } else if (!outage && why_) {
    const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - since_);
    log_.info("S3 answers again, after {} s", lasted.count());
  }
  why_ = outage ? std::optional(*error) : std::nullopt;
  if (outage) {
    opened_.notify_all();
  }
}

std::unique_ptr<ObjectStore> make_watched_store(ObjectStore& inner, Breaker& breaker) {
  return std::make_unique<AroundStore<Watch>>(inner, Watch{breaker, true});
}

std::unique_ptr<ObjectStore> make_probing_store(ObjectStore& inner, Breaker& breaker) {
  return std::make_unique<AroundStore<Watch>>(inner, Watch{breaker, false});
}

std::unique_ptr<ObjectStore> make_breaking_store(ObjectStore& inner, const Breaker& breaker) {
  return std::make_unique<AroundStore<Break>>(inner, Break{breaker});
}

}  // namespace prefixfs::s3
