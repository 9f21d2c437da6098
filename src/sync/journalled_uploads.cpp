#include "prefixfs/sync/journalled_uploads.h"

#include <mutex>
#include <unordered_map>

#include "prefixfs/s3/forwarding_store.h"

namespace prefixfs::sync {
namespace {

// `initiated` has whole seconds, and S3's clock is not ours.
constexpr std::chrono::seconds kClockSlack{5};

class JournalledUploads final : public s3::ForwardingStore {
 public:
  JournalledUploads(s3::ObjectStore& inner, meta::Journal& journal, const Clock& clock, Log& log)
      : ForwardingStore(inner), journal_(journal), clock_(clock), log_(log) {}

  Result<s3::UploadId> create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) override {
    meta::Intent intent{.kind = meta::IntentKind::upload, .path = key.str(), .since = clock_.now()};
    TRY_ASSIGN(intent.id, journal_.next_id());
    TRY(journal_.apply({.put = {intent}, .erase = {}}));
    auto created = inner_.create_upload(key, headers, context);
    if (!created) {
      // Where the answer was lost there may be an upload: the record stays for the next start.
      if (!retryable(created.error().code) || created.error().origin.not_sent) {
        erase(intent.id);
      }
      return created;
    }
    intent.source = *created;
    if (const auto noted = journal_.apply({.put = {intent}, .erase = {}}); !noted) {
      log_.warn("the id of an upload of {} is not in the journal: {}", key.str(), describe(noted.error()));
    }
    const std::lock_guard lock(mutex_);
    open_[*created] = intent.id;
    return created;
  }

  Result<s3::PutAnswer> complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                        const s3::WriteCondition& condition, const CallContext& context) override {
    auto completed = inner_.complete_upload(key, upload, parts, condition, context);
    if (completed) {
      ended(upload);
    }
    return completed;
  }

  Result<void> abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) override {
    auto aborted = inner_.abort_upload(key, upload, context);
    if (aborted) {
      ended(upload);
    }
    return aborted;
  }

 private:
  void ended(const s3::UploadId& upload) {
    meta::IntentId id = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = open_.find(upload);
      if (found == open_.end()) {
        return;
      }
      id = found->second;
      open_.erase(found);
    }
    erase(id);
  }

  /// A record that stays costs the next start one request.
  void erase(meta::IntentId id) {
    if (const auto erased = journal_.apply({.put = {}, .erase = {id}}); !erased) {
      log_.warn("the journal still knows of an upload that has ended: {}", describe(erased.error()));
    }
  }

  meta::Journal& journal_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::unordered_map<s3::UploadId, meta::IntentId> open_;
};

}  // namespace

std::unique_ptr<s3::ObjectStore> make_journalled_uploads(s3::ObjectStore& inner, meta::Journal& journal, const Clock& clock, Log& log) {
  return std::make_unique<JournalledUploads>(inner, journal, clock, log);
}

Result<void> abort_former_upload(s3::ObjectStore& store, const meta::Intent& upload, const CallContext& context) {
  const Key key(upload.path);
  if (!upload.source.empty()) {
    return store.abort_upload(key, upload.source, context);
  }
  const auto open = store.list_uploads(upload.path, context);
  if (!open) {
    // Without the right to list uploads nobody can tell; a lifecycle rule of the bucket ends it.
    return open.error().code == Errc::denied || open.error().code == Errc::unsupported ? Result<void>() : fail(open.error());
  }
  for (const s3::OpenUpload& one : *open) {
    if (one.key == key && one.initiated + kClockSlack >= upload.since) {
      TRY(store.abort_upload(key, one.id, context));
    }
  }
  return {};
}

}  // namespace prefixfs::sync
