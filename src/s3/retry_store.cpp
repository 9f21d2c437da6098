#include "retry_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/s3/own_write.h"

namespace prefixfs::s3 {

namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kBackoffMax{20};
constexpr std::chrono::seconds kRetryAfterMax{60};
constexpr std::chrono::seconds kLongWait{2};
// Last-Modified and Date have whole seconds.
constexpr std::chrono::seconds kClockSlack{1};

constexpr std::chrono::milliseconds kLastPause{50};
// While the budget is empty: a pause of one to two of these, and none shorter than half of it.
constexpr std::chrono::seconds kSlowPause{1};

double seconds(nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

nanoseconds backoff(int attempt, bool throttled, std::uint64_t random) {
  nanoseconds bound = throttled ? std::chrono::milliseconds(500) : std::chrono::milliseconds(50);
  for (int i = 1; i < attempt && bound < kBackoffMax; ++i) {
    bound *= throttled ? 2 : 4;
  }
  bound = std::min<nanoseconds>(bound, kBackoffMax);
  return nanoseconds(static_cast<nanoseconds::rep>(random % (static_cast<std::uint64_t>(bound.count()) + 1)));
}

std::optional<nanoseconds> RetryStore::next_delay(const Error& error, int attempt, int& taken, const CallContext& context) {
  if (!retryable(error.code) || attempt >= options_.attempts_max || context.cancel.stop_requested()) {
    return std::nullopt;
  }
  nanoseconds delay = backoff(attempt, error.code == Errc::throttled, random_.next());
  nanoseconds last_pause = kLastPause;
  taken = budget_.take(error.code);
  if (taken == 0) {
    delay = std::max(delay, kSlowPause + nanoseconds(random_.next() % nanoseconds(kSlowPause).count()));
    last_pause = nanoseconds(kSlowPause) / 2;
  }
  const nanoseconds asked = std::min<nanoseconds>(std::chrono::seconds(error.origin.retry_after_seconds), kRetryAfterMax);
  delay = std::max(delay, asked);
  const SteadyTime until = context.until();
  if (until == SteadyTime::max()) {
    return delay;
  }
  // The caller waits until its deadline in any case, so a pause never takes more than half of what is left: an outage that ends in
  // time is not told.
  const nanoseconds left = until - clock_.steady();
  if (left < last_pause * 2 || asked >= left) {
    return std::nullopt;
  }
  return std::min(delay, left / 2);
}

void RetryStore::report(const Error& error, int attempt, const std::optional<nanoseconds>& delay) {
  if (!retryable(error.code)) {
    log_.debug("{}", describe(error));
  } else if (!delay) {
    log_.warn("{}; attempt {} of {}, giving up", describe(error), attempt, options_.attempts_max);
  } else if (*delay >= kLongWait) {
    log_.warn("{}; attempt {} of {}, the next one in {:.1f} s", describe(error), attempt, options_.attempts_max, seconds(*delay));
  } else {
    log_.debug("{}; attempt {} of {}, the next one in {:.3f} s", describe(error), attempt, options_.attempts_max, seconds(*delay));
  }
}

template <class Work>
auto RetryStore::repeat(const char* operation, const std::string& key, const CallContext& context, Work work) -> decltype(work()) {
  int taken = 0;
  for (int attempt = 1;; ++attempt) {
    auto result = [&]() -> decltype(work()) {
      TRY_ASSIGN(const ConcurrencyLimit::Place place, limit_.enter(context));
      return work();
    }();
    if (result) {
      budget_.succeeded(taken);
      limit_.succeeded();
      return result;
    }
    Error& error = result.error();
    if (error.origin.operation.empty()) {
      error.origin.operation = operation;
      error.origin.key = key;
    }
    error.origin.attempt = attempt;
    if (error.code == Errc::throttled) {
      limit_.slow_down();
    }
    const auto delay = next_delay(error, attempt, taken, context);
    report(error, attempt, delay);
    if (!delay) {
      return result;
    }
    if (!clock_.sleep_for(*delay, context.cancel)) {
      error.code = Errc::cancelled;
      return result;
    }
  }
}

// ---- Writes whose answer may be lost ----

Result<std::optional<ObjectInfo>> RetryStore::look(const Key& key, const CallContext& context) {
  auto info = inner_.head(key, context);
  if (info) {
    return std::optional(*std::move(info));
  }
  const Error& error = info.error();
  // Without s3:ListBucket an absent object is denied.
  if ((error.code == Errc::not_found && error.origin.s3_code != "NoSuchBucket") || error.code == Errc::denied) {
    return std::optional<ObjectInfo>();
  }
  return fail(error);
}

/// By S3's clock, which is Last-Modified's: ours may be hours off.
WallTime RetryStore::started_by(const Write& write, const ObjectInfo& found) const {
  return found.told_at == WallTime{} ? write.started : found.told_at - (clock_.steady() - write.started_steady);
}

Result<void> RetryStore::guard(Write& write, const char* operation, const Key& key, const std::optional<ObjectInfo>& found) {
  using Kind = WriteCondition::Kind;
  const auto conflict = [&](std::string_view why) {
    Error error{Errc::conflict, fmt::format("{} of '{}': {}", operation, key.str(), why), {}};
    error.origin.operation = operation;
    error.origin.key = key.str();
    return fail(std::move(error));
  };
  switch (write.wanted.kind) {
    case Kind::absent:
      return found ? Result<void>(conflict("the object is there already")) : Result<void>();
    case Kind::match:
      return found && found->etag == write.wanted.etag ? Result<void>() : Result<void>(conflict("another client has changed the object"));
    case Kind::none:
      break;
  }
  if (!found) {
    write.condition = WriteCondition::if_absent();
    return {};
  }
  if (found->last_modified > started_by(write, *found) + kClockSlack) {
    return conflict("the answer was lost, and another client has written the object since");
  }
  write.condition = WriteCondition::if_match(found->etag);
  return {};
}

/// One attempt of a write. `send(condition)` sends it; `ours(info)` tells whether an object is what was to be written, and gives the
/// answer that was lost.
template <class Send, class Ours>
auto RetryStore::write_once(Write& write, const char* operation, const Key& key, const CallContext& context, Send send, Ours ours)
    -> decltype(send(write.condition)) {
  if (write.unclear) {
    TRY_ASSIGN(const auto found, look(key, context));
    if (found) {
      TRY_ASSIGN(auto answer, ours(*found));
      if (answer) {
        return *std::move(answer);
      }
    }
    if (auto guarded = guard(write, operation, key, found); !guarded) {
      guarded.error().origin.sent_twice = true;
      return fail(std::move(guarded.error()));
    }
  }
  auto result = send(write.condition);
  // S3 API, PutObject, If-None-Match: after 409 the upload should be retried.
  if (!result && result.error().origin.s3_code == "ConditionalRequestConflict" && !write.repeated_409) {
    write.repeated_409 = true;
    result = send(write.condition);
  }
  write.unclear = write.unclear || (!result && result.error().origin.sent_twice);
  if (!result && result.error().code == Errc::conflict && write.unclear) {
    // The lost attempt may have arrived only now, or libcurl's own first one has.
    TRY_ASSIGN(const auto found, look(key, context));
    if (found) {
      TRY_ASSIGN(auto answer, ours(*found));
      if (answer) {
        return *std::move(answer);
      }
    }
  }
  if (!result && is_unclear(result.error())) {
    write.unclear = true;
  }
  if (!result && write.unclear) {
    result.error().origin.not_sent = false;  // an attempt before was
    result.error().origin.sent_twice = true;
  }
  return result;
}

Result<PutAnswer> RetryStore::put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                                  const CallContext& context) {
  Write write(condition, clock_);
  const auto send = [&](const WriteCondition& c) { return inner_.put(key, body, headers, c, context); };
  const auto ours = [&](const ObjectInfo& info) -> Result<std::optional<PutAnswer>> {
    TRY_ASSIGN(const bool same, is_body(info, body, headers, context));
    return same ? std::optional(PutAnswer{info.etag, info.version_id, info.crc64nvme}) : std::nullopt;
  };
  return repeat("PutObject", key.str(), context, [&] { return write_once(write, "PutObject", key, context, send, ours); });
}

Result<CopyAnswer> RetryStore::copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                                    const CallContext& context) {
  Write write(options.condition, clock_);
  const auto send = [&](const WriteCondition& condition) {
    CopyOptions guarded = options;
    guarded.condition = condition;
    return inner_.copy(source, destination, guarded, context);
  };
  const auto ours = [&](const ObjectInfo& info) -> Result<std::optional<CopyAnswer>> {
    const auto from = source.key == destination ? Result<ObjectInfo>(info) : inner_.head(source.key, context);
    const bool same = from && is_copy(info, *from, options.replace);
    return same ? std::optional(CopyAnswer{info.etag, info.last_modified}) : std::nullopt;
  };
  return repeat("CopyObject", destination.str(), context,
                [&] { return write_once(write, "CopyObject", destination, context, send, ours); });
}

/// An upload id can be completed only once, so that the request itself may be repeated. What it cannot tell is whether the id is gone
/// because the lost attempt has done the work.
Result<PutAnswer> RetryStore::complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                              const WriteCondition& condition, const CallContext& context) {
  bool unclear = false;
  return repeat("CompleteMultipartUpload", key.str(), context, [&]() -> Result<PutAnswer> {
    auto result = inner_.complete_upload(key, upload, parts, condition, context);
    if (result) {
      return result;
    }
    const Errc code = result.error().code;
    unclear = unclear || result.error().origin.sent_twice;
    if (unclear && (code == Errc::not_found || code == Errc::conflict)) {
      TRY_ASSIGN(const auto found, look(key, context));
      if (found && is_assembled(*found, parts)) {
        return PutAnswer{found->etag, found->version_id, found->crc64nvme};
      }
    }
    unclear = unclear || is_unclear(result.error());
    return result;
  });
}

// ---- Calls that may simply be repeated ----

Result<ObjectInfo> RetryStore::head(const Key& key, const CallContext& context) {
  return repeat("HeadObject", key.str(), context, [&] { return inner_.head(key, context); });
}

Result<std::string> RetryStore::tagging(const Key& key, const CallContext& context) {
  return repeat("GetObjectTagging", key.str(), context, [&] { return inner_.tagging(key, context); });
}

Result<Grants> RetryStore::acl(const Key& key, const CallContext& context) {
  return repeat("GetObjectAcl", key.str(), context, [&] { return inner_.acl(key, context); });
}

Result<RestoreState> RetryStore::restore(const Key& key, const RestoreOptions& options, const CallContext& context) {
  return repeat("RestoreObject", key.str(), context, [&] { return inner_.restore(key, options, context); });
}

Result<GetAnswer> RetryStore::get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) {
  return repeat("GetObject", key.str(), context, [&] { return inner_.get(key, options, sink, context); });
}

Result<void> RetryStore::remove(const Key& key, const ETag& if_match, const CallContext& context) {
  return repeat("DeleteObject", key.str(), context, [&] { return inner_.remove(key, if_match, context); });
}

Result<std::vector<DeleteOutcome>> RetryStore::remove_many(std::span<const RemoveTarget> targets, const CallContext& context) {
  return repeat("DeleteObjects", {}, context, [&] { return inner_.remove_many(targets, context); });
}

Result<ListPage> RetryStore::list(const ListOptions& options, const CallContext& context) {
  return repeat("ListObjectsV2", options.prefix, context, [&] { return inner_.list(options, context); });
}

Result<UploadId> RetryStore::create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) {
  return repeat("CreateMultipartUpload", key.str(), context, [&] { return inner_.create_upload(key, headers, context); });
}

Result<UploadedPart> RetryStore::upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                             const CallContext& context) {
  return repeat("UploadPart", key.str(), context, [&] { return inner_.upload_part(key, upload, number, body, context); });
}

Result<UploadedPart> RetryStore::upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source,
                                                  ByteRange range, const CallContext& context) {
  return repeat("UploadPartCopy", key.str(), context,
                [&] { return inner_.upload_part_copy(key, upload, number, source, range, context); });
}

Result<void> RetryStore::abort_upload(const Key& key, const UploadId& upload, const CallContext& context) {
  return repeat("AbortMultipartUpload", key.str(), context, [&] { return inner_.abort_upload(key, upload, context); });
}

Result<std::vector<OpenUpload>> RetryStore::list_uploads(const std::string& prefix, const CallContext& context) {
  return repeat("ListMultipartUploads", prefix, context, [&] { return inner_.list_uploads(prefix, context); });
}

std::unique_ptr<ObjectStore> make_retry_store(ObjectStore& inner, const RetryOptions& options, const Clock& clock, Random& random,
                                              Log& log) {
  return std::make_unique<RetryStore>(inner, options, clock, random, log);
}

}  // namespace prefixfs::s3
