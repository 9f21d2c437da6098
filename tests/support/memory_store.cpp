#include "support/memory_store.h"

#include <algorithm>
#include <limits>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"
#include "support/memory_store_text.h"

namespace prefixfs::test {

using namespace memory_store_text;

// ---- Objects ----

Result<const MemoryStore::Object*> MemoryStore::find(const char* operation, const Key& key) const {
  const auto found = objects_.find(key.str());
  if (found != objects_.end()) {
    return &found->second;
  }
  if (!rights_.list) {
    return refuse(Errc::denied, operation, key, 403, "AccessDenied");
  }
  return refuse(Errc::not_found, operation, key, 404, "NoSuchKey");
}

Result<const MemoryStore::Object*> MemoryStore::find_source(const char* operation, const s3::CopySource& source) const {
  TRY_ASSIGN(const Object* object, find(operation, source.key));
  if (!source.if_match.empty() && source.if_match != object->info.etag) {
    return refuse(Errc::conflict, operation, source.key, 412, "PreconditionFailed");
  }
  if (object->archived) {
    return refuse(Errc::unsupported, operation, source.key, 403, "InvalidObjectState");
  }
  return object;
}

Result<void> MemoryStore::check_condition(const char* operation, const Key& key, const s3::WriteCondition& condition) const {
  using Kind = s3::WriteCondition::Kind;
  const auto found = objects_.find(key.str());
  const bool there = found != objects_.end();
  if (condition.kind == Kind::absent && there) {
    return refuse(Errc::conflict, operation, key, 412, "PreconditionFailed");
  }
  if (condition.kind == Kind::match && !there) {
    return refuse(Errc::conflict, operation, key, 404, "NoSuchKey");
  }
  if (condition.kind == Kind::match && found->second.info.etag != condition.etag) {
    return refuse(Errc::conflict, operation, key, 412, "PreconditionFailed");
  }
  return {};
}

ObjectInfo& MemoryStore::store(const Key& key, Bytes bytes, ETag etag, const s3::ObjectHeaders& headers) {
  Object object;
  object.info.key = key;
  object.info.size = bytes->size();
  object.info.etag = std::move(etag);
  object.info.last_modified = std::chrono::floor<std::chrono::seconds>(clock_.now());
  object.info.complete = true;
  object.info.crc64nvme = crypto::crc64nvme(0, as_bytes(*bytes));
  s3::apply_headers(headers, object.info);
  object.tagging = std::exchange(object.info.tagging, std::nullopt).value_or("");
  object.grants = headers.grants;
  if (headers.content_type.empty()) {
    object.info.content_type = "binary/octet-stream";
  }
  object.archived = headers.storage.storage_class == "GLACIER" || headers.storage.storage_class == "DEEP_ARCHIVE";
  object.bytes = std::move(bytes);
  return objects_.insert_or_assign(key.str(), std::move(object)).first->second.info;
}

Result<ObjectInfo> MemoryStore::head(const Key& key, const CallContext& context) {
  TRY(check_call("HeadObject", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.get) {
    return refuse(Errc::denied, "HeadObject", key, 403, "");
  }
  TRY_ASSIGN(const Object* object, find("HeadObject", key));
  ObjectInfo info = object->info;
  info.told_at = std::chrono::floor<std::chrono::seconds>(clock_.now());
  return info;
}

Result<std::string> MemoryStore::tagging(const Key& key, const CallContext& context) {
  TRY(check_call("GetObjectTagging", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.get || !rights_.tagging) {
    return refuse(Errc::denied, "GetObjectTagging", key, 403, "AccessDenied");
  }
  TRY_ASSIGN(const Object* object, find("GetObjectTagging", key));
  return object->tagging;
}

Result<Grants> MemoryStore::acl(const Key& key, const CallContext& context) {
  TRY(check_call("GetObjectAcl", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.acl) {
    return refuse(Errc::denied, "GetObjectAcl", key, 403, "AccessDenied");
  }
  TRY_ASSIGN(const Object* object, find("GetObjectAcl", key));
  Grants grants = object->grants;
  if (!grants.empty() && grants.full_control.empty()) {
    grants.full_control = "id=\"memory\"";  // the owner
  }
  return grants;
}

Result<s3::RestoreState> MemoryStore::restore(const Key& key, const s3::RestoreOptions& options, const CallContext& context) {
  TRY(check_call("RestoreObject", key, context, clock_));
  const std::lock_guard lock(mutex_);
  TRY(find("RestoreObject", key));
  Object& object = objects_.find(key.str())->second;
  const bool comes_back = object.info.storage_class == "INTELLIGENT_TIERING";
  if (comes_back == options.days.has_value()) {
    return refuse(Errc::invalid, "RestoreObject", key, 400, "MalformedXML");
  }
  if (object.restoring) {
    return s3::RestoreState::in_progress;
  }
  if (!object.archived && object.info.restore.empty()) {
    return s3::RestoreState::not_archived;
  }
  if (!object.archived) {
    object.info.restore = restored_text(clock_.now() + std::chrono::days(*options.days));
    return s3::RestoreState::restored;
  }
  object.restoring = options.days.value_or(0);
  object.info.restore = "ongoing-request=\"true\"";
  return s3::RestoreState::started;
}

Result<s3::GetAnswer> MemoryStore::get(const Key& key, const s3::GetOptions& options, s3::GetSink& sink, const CallContext& context) {
  TRY(check_call("GetObject", key, context, clock_));
  s3::GetAnswer answer;
  Bytes bytes;
  bool archived = false;
  {
    const std::lock_guard lock(mutex_);
    if (!rights_.get) {
      return refuse(Errc::denied, "GetObject", key, 403, "AccessDenied");
    }
    TRY_ASSIGN(const Object* object, find("GetObject", key));
    bytes = object->bytes;
    answer.info = object->info;
    archived = object->archived;
  }
  const std::uint64_t size = bytes->size();
  if (!options.if_match.empty() && options.if_match != answer.info.etag) {
    return refuse(Errc::conflict, "GetObject", key, 412, "PreconditionFailed");
  }
  if (!options.if_none_match.empty() && options.if_none_match == answer.info.etag) {
    answer.not_modified = true;
    return answer;
  }
  if (archived) {
    return refuse(Errc::unsupported, "GetObject", key, 403, "InvalidObjectState");
  }
  answer.range = {0, size};
  if (options.range && size > 0) {
    answer.range = answer.range.intersect(*options.range);
    if (answer.range.empty()) {
      return refuse(Errc::invalid, "GetObject", key, 416, "InvalidRange");
    }
  }
  TRY(sink.begin(answer));
  std::function<void()> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = std::exchange(before_body_, nullptr);
  }
  if (hook) {
    hook();
  }
  TRY(send(*bytes, answer.range, sink, context, clock_));
  return answer;
}

Result<s3::PutAnswer> MemoryStore::put(const Key& key, const BodySource& body, const s3::ObjectHeaders& headers,
                                       const s3::WriteCondition& condition, const CallContext& context) {
  TRY(check_call("PutObject", key, context, clock_));
  TRY(check_headers("PutObject", key, headers));
  if (body.size() > s3::kSinglePutBytesMax) {
    return refuse(Errc::too_large, "PutObject", key, 400, "EntityTooLarge");
  }
  TRY_ASSIGN(auto bytes, read_all(body));
  const ETag etag = md5_etag(*bytes);
  const std::lock_guard lock(mutex_);
  if (!rights_.put) {
    return refuse(Errc::denied, "PutObject", key, 403, "AccessDenied");
  }
  TRY(check_condition("PutObject", key, condition));
  const ObjectInfo& info = store(key, std::move(bytes), etag, headers);
  return s3::PutAnswer{info.etag, {}, info.crc64nvme};
}

Result<void> MemoryStore::remove(const Key& key, const ETag& if_match, const CallContext& context) {
  TRY(check_call("DeleteObject", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.remove) {
    return refuse(Errc::denied, "DeleteObject", key, 403, "AccessDenied");
  }
  const auto found = objects_.find(key.str());
  if (found == objects_.end()) {
    return {};
  }
  if (!if_match.empty() && found->second.info.etag != if_match) {
    return refuse(Errc::conflict, "DeleteObject", key, 412, "PreconditionFailed");
  }
  objects_.erase(found);
  return {};
}

Result<std::vector<s3::DeleteOutcome>> MemoryStore::remove_many(std::span<const s3::RemoveTarget> targets, const CallContext& context) {
  TRY(check_call("DeleteObjects", Key("-"), context, clock_));
  if (targets.size() > 1000) {
    return refuse(Errc::invalid, "DeleteObjects", Key(), 400, "MalformedXML");
  }
  const std::lock_guard lock(mutex_);
  std::vector<s3::DeleteOutcome> outcomes;
  for (const auto& [key, if_match, best_effort] : targets) {
    s3::DeleteOutcome outcome{key, std::nullopt};
    const auto found = objects_.find(key.str());
    if (rights_.remove && found != objects_.end() && !if_match.empty() && found->second.info.etag != if_match) {
      outcome.error = refuse(Errc::conflict, "DeleteObjects", key, 200, "PreconditionFailed").error();
    } else if (rights_.remove) {
      objects_.erase(key.str());
    } else {
      outcome.error = refuse(Errc::denied, "DeleteObjects", key, 200, "AccessDenied").error();
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

Result<s3::CopyAnswer> MemoryStore::copy(const s3::CopySource& source, const Key& destination, const s3::CopyOptions& options,
                                         const CallContext& context) {
  TRY(check_call("CopyObject", destination, context, clock_));
  if (options.replace) {
    TRY(check_headers("CopyObject", destination, *options.replace));
  }
  const std::lock_guard lock(mutex_);
  if (!rights_.get || !rights_.put) {
    return refuse(Errc::denied, "CopyObject", destination, 403, "AccessDenied");
  }
  TRY_ASSIGN(const Object* from, find_source("CopyObject", source));
  if (from->info.size > s3::kCopyBytesMax) {
    return refuse(Errc::too_large, "CopyObject", destination, 400, "InvalidRequest");
  }
  if (source.key == destination && !options.replace) {  // S3 API, CopyObject: a copy onto itself has to change something
    return refuse(Errc::invalid, "CopyObject", destination, 400, "InvalidRequest");
  }
  TRY(check_condition("CopyObject", destination, options.condition));
  s3::ObjectHeaders headers = options.replace ? *options.replace : s3::headers_of(from->info);
  headers.storage = options.replace ? options.replace->storage : options.storage;
  headers.tagging = options.own_tags && options.replace ? options.replace->tagging : from->tagging;
  headers.grants = options.grants;
  const Bytes bytes = from->bytes;
  const ETag etag = md5_etag(*bytes);
  const ObjectInfo& info = store(destination, bytes, etag, headers);
  return s3::CopyAnswer{info.etag, info.last_modified};
}

s3::Capabilities MemoryStore::capabilities() const {
  const std::lock_guard lock(mutex_);
  return capabilities_;
}

// ---- What a test sets up and looks at ----

void MemoryStore::set_rights(Rights rights) {
  const std::lock_guard lock(mutex_);
  rights_ = rights;
}

void MemoryStore::list_backwards() {
  const std::lock_guard lock(mutex_);
  backwards_ = true;
}

void MemoryStore::set_capabilities(const s3::Capabilities& capabilities) {
  const std::lock_guard lock(mutex_);
  capabilities_ = capabilities;
}

void MemoryStore::set_part_bytes_min(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  part_bytes_min_ = bytes;
}

ETag MemoryStore::put_text(std::string_view key, std::string_view text, const s3::ObjectHeaders& headers) {
  const std::lock_guard lock(mutex_);
  return store(Key(std::string(key)), std::make_shared<const std::string>(text), md5_etag(text), headers).etag;
}

void MemoryStore::erase(std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) {
    objects_.erase(found);
  }
}

void MemoryStore::before_body(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  before_body_ = std::move(hook);
}

void MemoryStore::set_grants(std::string_view key, const Grants& grants) {
  const std::lock_guard lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) {
    found->second.grants = grants;
  }
}

void MemoryStore::archive(std::string_view key, const std::string& storage_class) {
  const std::lock_guard lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) {
    found->second.info.storage_class = storage_class;
    found->second.archived = true;
  }
}

void MemoryStore::finish_restore(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end() || !found->second.restoring) {
    return;
  }
  Object& object = found->second;
  object.archived = false;
  object.info.restore = *object.restoring == 0 ? "" : restored_text(clock_.now() + std::chrono::days(*object.restoring));
  object.restoring.reset();
}

std::optional<std::string> MemoryStore::text(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? std::nullopt : std::optional(*found->second.bytes);
}

std::optional<ObjectInfo> MemoryStore::info(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? std::nullopt : std::optional(found->second.info);
}

std::vector<std::string> MemoryStore::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& entry : objects_) {
    keys.push_back(entry.first);
  }
  return keys;
}

std::size_t MemoryStore::open_uploads() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

}  // namespace prefixfs::test
