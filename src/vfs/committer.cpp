#include "committer.h"

#include <fmt/format.h>

#include "attributes.h"
#include "open_note.h"
#include "prefixfs/s3/client.h"
#include "prefixfs/s3/own_write.h"

namespace prefixfs::vfs {

std::function<Key()> Committer::key_of(OpenFile& file) const {
  return [this, &file] {
    meta::Node node;
    {
      const std::lock_guard lock(file.mutex);
      if (auto elsewhere = file.object_key_locked()) {
        return std::move(*elsewhere);
      }
      node = file.node;
    }
    const auto key = p_.tree.file_key(node.parent, node.name);
    return key ? *key : Key();
  };
}

Result<void> Committer::commit_locked(OpenFile& file, const CallContext& context) {
  bool bytes = false;
  {
    const std::lock_guard lock(file.mutex);
    if (file.failed) {
      return fail(*file.failed);
    }
    if (!file.needs_commit_locked()) {
      return {};
    }
    bytes = file.unstored || file.content_changed_locked();
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
  State state{.key = {}, .content = nullptr, .upload = file.upload};
  {
    const std::lock_guard lock(file.mutex);
    state.content = file.content;
    state.emptied = file.emptied;
    note_locked(file);  // with the time that goes out: by it another process knows the object for its own
  }
  auto stored = store(file, state, context);
  return stored ? stored : fail(refused(file, std::move(stored.error())));
}

Result<void> Committer::deliver(OpenFile& file, Owed& owed, const std::function<Result<void>()>& rebased, const CallContext& context) {
  State state{.key = owed.key, .content = owed.content, .upload = owed.upload, .emptied = owed.emptied, .posix = owed.posix, .owed = &owed, .rebased = &rebased, .acknowledged = owed.since};
  auto stored = store(file, state, context);
  if (!stored) {
    const std::lock_guard lock(file.mutex);
    note_maybe_stored(file, stored.error());
    owed.maybe_stored = owed.maybe_stored || s3::is_unclear(stored.error());
  }
  return stored;
}

Result<void> Committer::store(OpenFile& file, State& state, const CallContext& context) {
  TRY_ASSIGN(sync::UploadTarget target, target_of(file, state, context));
  auto committed = upload(file, state, target, context);
  // Stale: the version that ranges were to be fetched or copied of is not the current one any more.
  for (int conflicts = 0; !committed && (committed.error().code == Errc::conflict || committed.error().code == Errc::stale); ++conflicts) {
    if (committed.error().origin.sent_twice) {
      const std::lock_guard lock(file.mutex);
      file.maybe_stored = true;
    }
    TRY_ASSIGN(AfterConflict next, after_conflict(file, state, target, conflicts, context));
    if (next.mine) {
      committed = std::move(*next.mine);
    } else if (next.again) {
      TRY_ASSIGN(target, target_of(file, state, context));
      committed = upload(file, state, target, context);
    } else {
      break;
    }
  }
  if (!committed) {
    Error error = committed.error();
    const bool gone = error.code == Errc::not_found && target.condition.kind == s3::WriteCondition::Kind::match &&
                      error.origin.s3_code != "NoSuchBucket";
    error.code = gone || error.code == Errc::stale ? Errc::conflict : error.code;
    return fail(std::move(error));
  }
  adopt(file, state, target, *committed);
  return {};
}

Result<sync::Committed> Committer::upload(OpenFile& file, State& state, const sync::UploadTarget& target, const CallContext& context) {
  {
    const std::lock_guard lock(file.mutex);
    if (state.upload == nullptr) {
      state.upload = p_.uploader.start(state.content->file);
    }
  }
  const sync::FillRanges fill = [&](const std::vector<ByteRange>& ranges, const CallContext& fill_context) -> Result<void> {
    for (const ByteRange& range : ranges) {
      TRY(p_.fetcher.ensure(state.content, key_of(file), range, range, {}, fill_context));
    }
    return {};
  };
  const Pin pin(state.content, kWholeFile);  // what is filled in now is still there when it is sent
  return state.upload->commit(target, fill, context);
}

Result<sync::UploadTarget> Committer::target_of(OpenFile& file, const State& state, const CallContext& context) {
  meta::Node node;
  const std::shared_ptr<Content>& content = state.content;
  sync::UploadTarget target;
  {
    const std::lock_guard lock(file.mutex);
    node = file.node;
    node.posix = state.posix.value_or(node.posix);
    // What was acknowledged before is never the last writer unseen: see learn_replaced().
    const bool unconditional = file.overwrites && !state.acknowledged;
    // Behind what others have made of the name, and not instead of it: what was only appended, or not written at all.
    const bool goes_behind = file.appends && file.unstored && node.etag.empty();
    if (file.exclusive || file.presumed_new || goes_behind || (state.acknowledged && node.etag.empty())) {
      target.condition = s3::WriteCondition::if_absent();
    } else if (!unconditional && !node.etag.empty()) {
      target.condition = s3::WriteCondition::if_match(node.etag);
      target.base_etag = file.overwrites ? ETag() : node.etag;
    }
  }
  TRY_ASSIGN(target.key, state.key ? Result<Key>(*state.key) : p_.tree.file_key(node.parent, node.name));
  std::optional<ObjectInfo> info;
  if (!node.etag.empty()) {
    TRY_ASSIGN(info, version_info(target.key, node.etag, content, context));
  }
  if (info) {
    TRY(learn_tags(*info, target.key, content, context));
  }
  if (info && !node.posix_exact) {
    const std::lock_guard lock(file.mutex);
    const std::int64_t written_at = file.node.posix.mtime_ns;
    make_exact(file.node, *info);
    file.node.posix.mtime_ns = written_at;
    const std::int64_t stored_at = node.posix.mtime_ns;
    node.posix = file.node.posix;
    node.posix.mtime_ns = stored_at;
  }
  target.headers = headers_for(node, info ? &*info : nullptr);
  TRY_ASSIGN(target.headers.grants, grants_of(target.key, node.etag, context));
  return target;
}

/// The headers of the version that is replaced, so that a rewrite keeps them: remembered, or asked for once.
Result<std::optional<ObjectInfo>> Committer::version_info(const Key& key, const ETag& version, const std::shared_ptr<Content>& content,
                                                          const CallContext& context) {
  if (content != nullptr) {
    const std::lock_guard lock(content->mutex);
    if (content->info && content->info->etag == version) {
      return content->info;
    }
  }
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
    const bool has_name_of_its_bytes = node.kind == NodeKind::file || node.kind == NodeKind::directory;
    headers.content_type = s3::content_type_of(has_name_of_its_bytes ? node.name : std::string());
  }
  put_attributes(headers.user_metadata, node.posix, p_.settings, node.kind, node.rdev);
  return headers;
}

void Committer::adopt(OpenFile& file, const State& state, const sync::UploadTarget& target, const sync::Committed& committed) {
  const std::lock_guard lock(file.mutex);
  const bool newest = file.content == state.content;  // otherwise programs have gone on with a clone
  const bool acknowledged_more = file.owed != nullptr && file.owed.get() != state.owed;
  file.exclusive = false;
  file.presumed_new = false;
  file.maybe_stored = false;
  file.stale = false;
  // Cut to nothing while the bytes were on their way: that is still to be stored, and to be acknowledged where no state of the journal has it.
  file.overwrites = file.emptied != state.emptied;
  file.unstored = file.emptied != (acknowledged_more ? file.owed->emptied : state.emptied);
  meta::Node& node = file.node;
  ObjectInfo info{.key = target.key, .size = committed.size, .etag = committed.etag, .complete = true};
  s3::apply_headers(committed.headers, info);
  bool clean = false;
  {
    // Both at once: what a fetch of the version before still brings must not be taken for bytes of this one.
    const std::lock_guard content_lock(state.content->mutex);
    clean = state.content->file->mark_clean(committed.change_count) && newest;
    state.content->etag = committed.etag;
    state.content->info = info;
  }
  file.appends = file.appends || clean;
  // What programs have gone on with goes on from the version that is stored now.
  const bool owed_later = acknowledged_more && file.owed->content != file.content;
  if (!clean && file.content != nullptr) {
    follow(*file.content, file.appends, committed, info);
  }
  if (owed_later && file.owed->content != state.content) {
    follow(*file.owed->content, file.owed->appends, committed, info);
  }
  if (p_.settings.dialect != MetadataDialect::off) {
    // Parts of a large file may have gone out with the time at which its upload began; that is what every host will see.
    const PosixAttributes stored = attributes_from(info, p_.settings, node.kind);
    if (clean && !file.explicit_mtime && stored.mtime_ns != 0) {
      node.posix.mtime_ns = stored.mtime_ns;
    }
    file.attributes_changed = !says(stored, node.posix) && !acknowledged_more && newest;
    take_stored_xattrs(node.posix, stored);
  } else {
    file.attributes_changed = false;
  }
  node.etag = committed.etag;
  node.storage_class = info.storage_class;
  node.size = clean ? committed.size : file.content->file->size();
  node.last_modified = {};  // S3 has not told; the next listing will
  node.local = acknowledged_more || !file.moves.empty();
  node.posix_exact = true;
  node.checked_at = p_.clock.now();
  // The size that belongs to this ETag, whatever has been written since: who dies now leaves a record that is right.
  meta::Node record = node;
  record.size = node.local ? node.size : committed.size;
  if (const auto stored = file.unlinked ? Result<meta::Node>(node) : p_.nodes.put(std::move(record)); !stored) {
    p_.log.warn("the metadata cache did not take {}: {}", target.key.str(), describe(stored.error()));
  }
  note_locked(file);  // what goes on goes on from this version
}

/// The clean ranges of a later content are those of the version that is stored now; what was only appended to are its first bytes too.
void Committer::follow(Content& later, bool appends, const sync::Committed& committed, const ObjectInfo& info) {
  const std::lock_guard lock(later.mutex);
  if (appends) {
    later.file->stored_up_to(committed.size);
  }
  later.etag = committed.etag;
  later.info = info;
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
  TRY_ASSIGN(const Key key, p_.tree.file_key(node.parent, node.name));
  TRY_ASSIGN(std::optional<ObjectInfo> info, version_info(key, node.etag, content, context));
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

/// Other programs may have put bytes into the object that stands for a directory; those stay. Afterwards `info` is known where it has.
Result<bool> Committer::marker_has_content(const meta::Node& node, const Key& key, std::optional<ObjectInfo>& info, const CallContext& context) {
  if (node.kind != NodeKind::directory || node.id == 0) {
    return false;
  }
  TRY_ASSIGN(const std::optional<meta::Node> content, p_.nodes.find(node.id, shown_name({}, Shown::marker)));
  if (content && !info) {
    TRY_ASSIGN(info, version_info(key, node.etag, nullptr, context));
  }
  return info && info->size > 0;
}

Result<meta::Node> Committer::store_attributes(const meta::Node& node, std::optional<ObjectInfo>& info, const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.key_of(node));
  meta::Node stored = node;
  TRY_ASSIGN(const bool has_content, marker_has_content(node, key, info, context));
  if (has_content) {
    stored.etag = info->etag;
    stored.size = info->size;
    TRY_ASSIGN(const s3::CopyAnswer answer, copy({.node = stored, .source = key, .destination = key, .attributes = true}, info, context));
    stored.etag = answer.etag;
    stored.size = node.size;
  } else if (node.kind == NodeKind::directory) {
    const SpanSource nothing({});
    s3::ObjectHeaders headers = headers_for(node, info ? &*info : nullptr);
    TRY_ASSIGN(headers.grants, grants_of(key, node.etag, context));
    TRY_ASSIGN(const s3::PutAnswer answer, p_.store.put(key, nothing, headers, s3::WriteCondition::none(), context));
    stored.etag = answer.etag;
  } else {
    const bool same_version = info && info->etag == node.etag;
    auto answer = same_version ? copy({.node = node, .source = key, .destination = key, .attributes = true}, info, context)
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
  }
  take_stored_xattrs(stored.posix, {});
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
  const bool replaces_acl = p_.settings.keep_acls && !file.node.etag.empty();
  if (!key || (!file.node.etag.empty() && !replaced) || tags_unknown || replaces_acl) {
    return;  // the headers of the version that is replaced are asked for at the commit
  }
  const s3::ObjectHeaders headers = headers_for(file.node, replaced ? &*replaced : nullptr);
  sync::UploadTarget target{.key = *key, .headers = headers, .condition = {}, .base_etag = {}};
  file.upload->wrote(range, file.sequential_end, target);
}

}  // namespace prefixfs::vfs
