#include "committer.h"

#include <fmt/format.h>

#include "attributes.h"
#include "prefixfs/s3/client.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {

std::function<Key()> Committer::key_of(OpenFile& file) const {
  return [this, &file] {
    meta::Node node;
    {
      const std::lock_guard lock(file.mutex);
      node = file.node;
    }
    const auto key = p_.tree.file_key(node.parent, node.name);
    return key ? *key : Key();
  };
}

Result<void> Committer::commit(OpenFile& file, const CallContext& context) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  bool bytes = false;
  {
    const std::lock_guard lock(file.mutex);
    if (file.failed) {
      return fail(*file.failed);
    }
    if (!file.needs_commit_locked()) {
      return {};
    }
    bytes = file.unstored || (file.content != nullptr && file.content->file->changed());
  }
  auto done = bytes ? commit_bytes(file, context) : Result<void>();
  if (done) {
    done = commit_attributes(file, context);
  }
  const std::lock_guard lock(file.mutex);
  file.told = !done;
  return done;
}

Result<void> Committer::commit_bytes(OpenFile& file, const CallContext& context) {
  const std::uint64_t emptied = [&] {
    const std::lock_guard lock(file.mutex);
    return file.emptied;
  }();
  TRY_ASSIGN(sync::UploadTarget target, target_of(file, context));
  auto committed = upload(file, target, context);
  if (!committed && committed.error().code == Errc::conflict) {
    TRY_ASSIGN(const bool replaces, learn_replaced(file, target.key, context));
    if (replaces) {
      TRY_ASSIGN(target, target_of(file, context));
      committed = upload(file, target, context);
    }
  }
  if (!committed) {
    return fail(refused(file, target, committed.error()));
  }
  adopt(file, target, *committed, emptied);
  return {};
}

Result<sync::Committed> Committer::upload(OpenFile& file, const sync::UploadTarget& target, const CallContext& context) {
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file.mutex);
    content = file.content;
    if (file.upload == nullptr) {
      file.upload = p_.uploader.start(content->file);
    }
  }
  const sync::FillRanges fill = [&](const std::vector<ByteRange>& ranges, const CallContext& fill_context) -> Result<void> {
    for (const ByteRange& range : ranges) {
      TRY(p_.fetcher.ensure(content, key_of(file), range, range, {}, fill_context));
    }
    return {};
  };
  const Pin pin(content, kWholeFile);  // what is filled in now is still there when it is sent
  return file.upload->commit(target, fill, context);
}

/// The file was created without asking for its name, and somebody else has made it meanwhile: it is overwritten as an open() of it with
/// O_TRUNC would have, so its headers, mode and owner are those to go on with. False: that is not what has happened.
Result<bool> Committer::learn_replaced(OpenFile& file, const Key& key, const CallContext& context) {
  {
    const std::lock_guard lock(file.mutex);
    if (!file.presumed_new) {
      return false;
    }
    file.presumed_new = false;
  }
  auto info = p_.store.head(key, context);
  if (!info) {
    const bool unreadable = info.error().code == Errc::not_found || info.error().code == Errc::denied;
    return unreadable ? Result<bool>(true) : Result<bool>(fail(info.error()));
  }
  const std::lock_guard lock(file.mutex);
  PosixAttributes posix = attributes_from(*info, p_.settings, NodeKind::file);
  posix.mtime_ns = file.node.posix.mtime_ns;
  if (!file.attributes_changed) {  // a chmod of the open file counts more
    file.node.posix = posix;
  }
  file.node.etag = info->etag;
  const std::lock_guard content_lock(file.content->mutex);
  file.content->info = std::move(*info);
  return true;
}

Error Committer::refused(OpenFile& file, const sync::UploadTarget& target, Error error) {
  const bool lost_race = error.code == Errc::conflict || error.code == Errc::stale ||
                         (error.code == Errc::not_found && target.condition.kind == s3::WriteCondition::Kind::match &&
                          error.origin.s3_code != "NoSuchBucket");
  if (lost_race) {
    error.code = Errc::stale;
    error.what = fmt::format("{} was changed by another client while it was open here; what was written here is kept aside", target.key.str());
    const std::lock_guard lock(file.mutex);
    p_.tree.doubt(file.node.id);
    file.failed = error;
    file.content->irreplaceable = true;  // so that it is kept as whole as it is
  } else if (retryable(error.code) || error.code == Errc::cancelled || error.code == Errc::corrupt) {
    const std::lock_guard lock(file.mutex);
    file.maybe_stored = true;
  }
  p_.log.error("close: {} is not in S3: {}", target.key.str(), describe(error));
  return error;
}

Result<sync::UploadTarget> Committer::target_of(OpenFile& file, const CallContext& context) {
  meta::Node node;
  std::shared_ptr<Content> content;
  sync::UploadTarget target;
  {
    const std::lock_guard lock(file.mutex);
    node = file.node;
    content = file.content;
    if (file.exclusive || file.presumed_new) {
      target.condition = s3::WriteCondition::if_absent();
    } else if (!file.overwrites && !node.etag.empty()) {
      target.condition = s3::WriteCondition::if_match(node.etag);
      target.base_etag = node.etag;
    }
  }
  TRY_ASSIGN(target.key, p_.tree.file_key(node.parent, node.name));
  std::optional<ObjectInfo> info;
  if (!node.etag.empty()) {
    TRY_ASSIGN(info, version_info(node, content, context));
  }
  if (info) {
    TRY(learn_tags(*info, target.key, content, context));
  }
  if (info && !node.posix_exact) {
    const std::lock_guard lock(file.mutex);
    const std::int64_t written_at = file.node.posix.mtime_ns;
    make_exact(file.node, *info);
    file.node.posix.mtime_ns = written_at;
    node.posix = file.node.posix;
  }
  target.headers = headers_for(node, info ? &*info : nullptr);
  return target;
}

/// The headers of the version that is replaced, so that a rewrite keeps them: remembered, or asked for once.
Result<std::optional<ObjectInfo>> Committer::version_info(const meta::Node& node, const std::shared_ptr<Content>& content,
                                                          const CallContext& context) {
  if (content != nullptr) {
    const std::lock_guard lock(content->mutex);
    if (content->info && content->info->etag == node.etag) {
      return content->info;
    }
  }
  TRY_ASSIGN(const Key key, p_.tree.key_of(node));
  auto info = p_.store.head(key, context);
  if (!info && (info.error().code == Errc::not_found || info.error().code == Errc::denied)) {
    return std::optional<ObjectInfo>();
  }
  if (!info) {
    return fail(info.error());
  }
  if (content != nullptr) {
    const std::lock_guard lock(content->mutex);
    if (content->etag == info->etag) {
      content->info = *info;
    }
  }
  return std::optional<ObjectInfo>(std::move(*info));
}

/// PutObject and CreateMultipartUpload drop the tags that they do not name.
Result<void> Committer::learn_tags(ObjectInfo& info, const Key& key, const std::shared_ptr<Content>& content, const CallContext& context) {
  if (info.tag_count == 0 || info.tagging) {
    return {};
  }
  auto tags = p_.store.tagging(key, context);
  if (!tags && (tags.error().code == Errc::denied || tags.error().code == Errc::unsupported || tags.error().code == Errc::not_found)) {
    p_.log.warn("{} loses its {} tags when it is rewritten, since they cannot be read (s3:GetObjectTagging): {}", key.str(), info.tag_count,
                describe(tags.error()));
    tags = std::string();
  }
  TRY_ASSIGN(info.tagging, std::move(tags));
  if (content != nullptr) {
    const std::lock_guard lock(content->mutex);
    if (content->info && content->info->etag == info.etag) {
      content->info->tagging = info.tagging;
    }
  }
  return {};
}

void Committer::make_exact(meta::Node& node, const ObjectInfo& info) const {
  if (!node.posix_exact) {
    node.posix = attributes_from(info, p_.settings, node.kind);
    node.posix_exact = true;
  }
}

s3::ObjectHeaders Committer::headers_for(const meta::Node& node, const ObjectInfo* info) const {
  s3::ObjectHeaders headers;
  if (info != nullptr) {
    headers = s3::headers_of(*info);
  }
  if (headers.content_type.empty()) {
    headers.content_type = s3::content_type_of(node.name);
  }
  put_attributes(headers.user_metadata, node.posix, p_.settings, node.kind);
  return headers;
}

void Committer::adopt(OpenFile& file, const sync::UploadTarget& target, const sync::Committed& committed, std::uint64_t emptied_before) {
  const std::lock_guard lock(file.mutex);
  file.exclusive = false;
  file.presumed_new = false;
  file.maybe_stored = false;
  file.stale = false;
  // Cut to nothing while the bytes were on their way: that is still to be stored.
  file.overwrites = file.emptied != emptied_before;
  file.unstored = file.overwrites;
  meta::Node& node = file.node;
  ObjectInfo info{.key = target.key, .size = committed.size, .etag = committed.etag, .complete = true};
  s3::apply_headers(committed.headers, info);
  bool clean = false;
  {
    // Both at once: what a fetch of the version before still brings must not be taken for bytes of this one.
    const std::lock_guard content_lock(file.content->mutex);
    clean = file.content->file->mark_clean(committed.change_count);
    file.content->etag = committed.etag;
    file.content->info = info;
  }
  if (p_.settings.dialect != MetadataDialect::off) {
    // Parts of a large file may have gone out with the time at which its upload began; that is what every host will see.
    const PosixAttributes stored = attributes_from(info, p_.settings, NodeKind::file);
    if (clean && !file.explicit_mtime && stored.mtime_ns != 0) {
      node.posix.mtime_ns = stored.mtime_ns;
    }
    file.attributes_changed = stored != node.posix;
  } else {
    file.attributes_changed = false;
  }
  node.etag = committed.etag;
  node.storage_class = info.storage_class;
  node.size = clean ? committed.size : file.content->file->size();
  node.last_modified = {};  // S3 has not told; the next listing will
  node.local = false;
  node.posix_exact = true;
  node.checked_at = p_.clock.now();
  if (const auto stored = p_.nodes.put(node); !stored) {
    p_.log.warn("the metadata cache did not take {}: {}", target.key.str(), describe(stored.error()));
  }
}

Result<void> Committer::commit_attributes(OpenFile& file, const CallContext& context) {
  meta::Node node;
  std::shared_ptr<Content> content;
  {
    const std::lock_guard lock(file.mutex);
    if (!file.attributes_changed || file.unlinked) {
      return {};
    }
    node = file.node;
    content = file.content;
  }
  TRY_ASSIGN(std::optional<ObjectInfo> info, version_info(node, content, context));
  TRY_ASSIGN(const meta::Node stored, store_attributes(node, info, context));
  const std::lock_guard lock(file.mutex);
  file.attributes_changed = file.node.posix != node.posix;
  file.node.etag = stored.etag;
  file.node.last_modified = stored.last_modified;
  file.node.checked_at = stored.checked_at;
  meta::Node record = file.node;
  record.posix = node.posix;
  TRY(p_.nodes.put(std::move(record)));
  if (file.content != nullptr) {
    const std::lock_guard content_lock(file.content->mutex);
    file.content->etag = stored.etag;
    file.content->info = std::move(info);
  }
  return {};
}

Result<meta::Node> Committer::store_attributes(const meta::Node& node, std::optional<ObjectInfo>& info, const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.key_of(node));
  meta::Node stored = node;
  if (node.kind == NodeKind::directory) {
    const SpanSource nothing({});
    const s3::ObjectHeaders headers = headers_for(node, info ? &*info : nullptr);
    TRY_ASSIGN(const s3::PutAnswer answer, p_.store.put(key, nothing, headers, s3::WriteCondition::none(), context));
    stored.etag = answer.etag;
  } else {
    const bool same_version = info && info->etag == node.etag;
    if (same_version && node.size > s3::kCopyBytesMax) {  // copied as an upload of parts, which takes no tags over
      TRY(learn_tags(*info, key, nullptr, context));
    }
    const s3::CopyOptions options{.replace = headers_for(node, info ? &*info : nullptr), .storage = {}, .condition = {}};
    auto answer = same_version ? sync::copy_object(p_.store, {.key = key, .if_match = node.etag}, node.size, key, options, context)
                               : Result<s3::CopyAnswer>(fail(Errc::stale, key.str() + " was changed by another client"));
    if (!answer) {
      Error error = answer.error();
      if (error.code == Errc::conflict || error.code == Errc::stale || error.code == Errc::not_found) {
        p_.tree.doubt(node.id);
        error.code = error.code == Errc::not_found ? Errc::not_found : Errc::stale;
      }
      return fail(std::move(error));
    }
    stored.etag = answer->etag;
    info->etag = answer->etag;
    info->user_metadata = options.replace->user_metadata;
  }
  stored.last_modified = {};
  stored.posix_exact = true;
  stored.checked_at = p_.clock.now();
  return stored;
}

void Committer::wrote_locked(OpenFile& file, ByteRange range) {
  const bool new_file = file.overwrites || file.unstored;
  if (range.begin <= file.sequential_end) {
    file.sequential_end = std::max(file.sequential_end, range.end);
  }
  if (!new_file || file.unlinked || file.content == nullptr) {
    return;
  }
  if (file.upload == nullptr) {
    file.upload = p_.uploader.start(file.content->file);
  }
  const auto key = p_.tree.file_key(file.node.parent, file.node.name);
  std::optional<ObjectInfo> replaced;
  if (!file.node.etag.empty()) {
    const std::lock_guard content_lock(file.content->mutex);
    replaced = file.content->info;
  }
  const bool tags_unknown = replaced && replaced->tag_count > 0 && !replaced->tagging;
  if (!key || (!file.node.etag.empty() && !replaced) || tags_unknown) {
    return;  // the headers of the version that is replaced are asked for at the commit
  }
  const s3::ObjectHeaders headers = headers_for(file.node, replaced ? &*replaced : nullptr);
  sync::UploadTarget target{.key = *key, .headers = headers, .condition = {}, .base_etag = {}};
  file.upload->wrote(range, file.sequential_end, target);
}

void Committer::keep_bytes(OpenFile& file) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  const std::lock_guard lock(file.mutex);
  file.upload.reset();
  const bool refused_size = file.failed && (file.failed->code == Errc::too_large || file.failed->code == Errc::no_space);
  if (file.unlinked || refused_size || file.content == nullptr || !(file.unstored || file.content->file->changed())) {
    return;
  }
  const auto key = p_.tree.file_key(file.node.parent, file.node.name);
  const std::string name = key ? key->str() : file.node.name;
  const std::filesystem::path kept = p_.stage.kept_path(file.node.name, p_.clock.now());
  if (!file.content->file->missing({0, file.content->file->size()}).empty()) {
    p_.log.error("{}: only the changed ranges of it are kept, the unchanged ones read as zeros", name);
  }
  if (const auto moved = file.content->file->keep(kept); !moved) {
    p_.log.error("{} could neither be stored in S3 nor kept: {}", name, describe(moved.error()));
  } else {
    p_.log.error("{} could not be stored in S3; its bytes are kept in {}: copy them back into the mount when S3 answers again", name,
                 kept.string());
  }
}

}  // namespace prefixfs::vfs
