// Copies within S3: a stored file gets another name, other attributes, or both.

#include <fmt/format.h>

#include <algorithm>

#include "attributes.h"
#include "committer.h"
#include "prefixfs/s3/client.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {
namespace {

std::string type_of(const Key& key) { return s3::content_type_of(key.str().substr(key.str().rfind('/') + 1)); }

}  // namespace

Result<s3::CopyAnswer> Committer::copy(const Copy& copy, std::optional<ObjectInfo>& info, const CallContext& context) {
  const meta::Node& node = copy.node;
  // The encryption is told by GET and HEAD only, the storage class by listings too.
  s3::CopyOptions options{.replace = {}, .storage = s3::storage_of(info ? *info : ObjectInfo{.storage_class = node.storage_class}), .condition = {}};
  if (copy.no_replace && p_.store.capabilities().conditional_copy == s3::Support::yes) {
    options.condition = s3::WriteCondition::if_absent();
  }
  const std::string type = type_of(copy.destination);
  const bool retyped = info && info->content_type == type_of(copy.source) && info->content_type != type;
  if (copy.attributes) {
    if (info && node.size > s3::kCopyBytesMax) {  // copied as an upload of parts, which takes no tags over
      TRY(learn_tags(*info, copy.source, nullptr, context));
    }
    meta::Node as_it_is = node;
    if (info && node.kind != NodeKind::directory) {
      // A listing may have taken it for a file; with the same bytes it stays what it is.
      const FileType said = type_from(*info, p_.settings);
      as_it_is.kind = said.kind;
      as_it_is.rdev = said.rdev;
    }
    options.replace = headers_for(as_it_is, info ? &*info : nullptr);
  } else if (retyped) {
    options.replace = s3::headers_of(*info);
  }
  if (retyped) {
    options.replace->content_type = type;
  }
  TRY_ASSIGN(options.grants, grants_of(copy.source, node.etag, context));
  auto answer = sync::copy_object(p_.store, {.key = copy.source, .if_match = node.etag}, node.size, copy.destination, options, context);
  if (answer && info) {
    info->etag = answer->etag;
    if (options.replace) {
      info->user_metadata = options.replace->user_metadata;
      info->content_type = options.replace->content_type;
    }
  }
  return answer;
}

bool Committer::needs_headers(const Copy& copy) {
  return copy.attributes || type_of(copy.source) != type_of(copy.destination) || copy.node.size > s3::kCopyBytesMax;
}

Result<void> Committer::deliver_move(OpenFile& file, OwedMove& move, const CallContext& context) {
  Copy copy{.node = {}, .source = move.source, .destination = move.path, .attributes = move.changes_attributes(), .no_replace = move.no_replace};
  std::shared_ptr<Content> content;
  bool attempted = false;
  {
    const std::lock_guard lock(file.mutex);
    if (move.copied) {
      return {};
    }
    attempted = std::exchange(move.attempted, true);
    copy.node = file.node;
    copy.node.size = move.size;
    content = file.content != nullptr ? file.content : p_.contents.peek(copy.node.id, copy.node.etag);
  }
  std::optional<ObjectInfo> info;
  if (!move.renames() && !copy.attributes) {  // back to where it came from before S3 was told
    adopt_moved(file, move, copy.node, copy.node.etag, info);
    return {};
  }
  if (needs_headers(copy)) {
    TRY_ASSIGN(info, version_info(move.source, copy.node.etag, content, context));
  }
  if (info && info->etag == copy.node.etag) {
    copy.node.size = info->size;
    exact_attributes(file, *info, copy.node);
  }
  TRY(not_overtaken(move, copy, attempted, context));
  const bool known = !copy.attributes || (info && info->etag == copy.node.etag);
  auto answer = known ? this->copy(copy, info, context)
                      : Result<s3::CopyAnswer>(fail(Errc::conflict, fmt::format("{} was changed by another client", move.source.str())));
  const bool refused = !answer && (answer.error().code == Errc::conflict || answer.error().code == Errc::not_found);
  if (refused && attempted) {
    TRY_ASSIGN(const std::optional<ETag> mine, own_copy(copy, context));
    answer = mine ? Result<s3::CopyAnswer>({.etag = *mine, .last_modified = {}}) : std::move(answer);
  }
  if (!answer) {
    Error error = answer.error();
    error.code = error.code == Errc::not_found && error.origin.s3_code != "NoSuchBucket" ? Errc::conflict : error.code;
    return fail(std::move(error));
  }
  adopt_moved(file, move, copy.node, answer->etag, info);
  return {};
}

void Committer::exact_attributes(OpenFile& file, const ObjectInfo& info, meta::Node& node) const {
  const std::lock_guard lock(file.mutex);
  if (!file.node.posix_exact) {
    make_exact(file.node, info);
    for (const auto& owed : file.moves) {
      apply(owed->changes, file.node.posix);
    }
  }
  node.posix = file.node.posix;
  node.posix_exact = true;
}

/// A rename that S3 gets late replaces no version that was made after it.
Result<void> Committer::not_overtaken(const OwedMove& move, const Copy& copy, bool attempted, const CallContext& context) {
  const auto age = p_.clock.now() - move.since;
  const bool unknown = age < WallTime::duration::zero();  // our clock was set back: who was last cannot be told
  if (!move.renames() || move.no_replace || (!unknown && age <= kAtOnce)) {
    return {};
  }
  const auto there = p_.store.head(move.path, context);
  if (!there) {
    const bool unreadable = there.error().code == Errc::not_found || there.error().code == Errc::denied;
    return unreadable ? Result<void>() : fail(there.error());
  }
  const bool own = attempted && is_copy(*there, copy);
  if (!own && (unknown || written_after(*there, move.since))) {
    return fail(Errc::conflict, fmt::format("{} was written by another client after {} was renamed to it here", move.path.str(), move.source.str()));
  }
  return {};
}

bool Committer::is_copy(const ObjectInfo& there, const Copy& copy) const {
  const bool same_bytes = there.size == copy.node.size && (there.etag == copy.node.etag || sync::copy_changes(copy.node.etag));
  return same_bytes && (!copy.attributes || p_.settings.dialect == MetadataDialect::off ||
                        says(attributes_from(there, p_.settings, NodeKind::file), copy.node.posix));
}

/// An attempt before has been answered after all: what stands at the destination is the copy.
Result<std::optional<ETag>> Committer::own_copy(const Copy& copy, const CallContext& context) {
  const auto there = p_.store.head(copy.destination, context);
  if (!there) {
    const bool gone = there.error().code == Errc::not_found || there.error().code == Errc::denied;
    return gone ? Result<std::optional<ETag>>(std::nullopt) : fail(there.error());
  }
  return is_copy(*there, copy) ? std::optional(there->etag) : std::nullopt;
}

void Committer::adopt_moved(OpenFile& file, OwedMove& move, const meta::Node& moved, const ETag& version, std::optional<ObjectInfo>& info) {
  const std::lock_guard lock(file.mutex);
  move.version = moved.etag;
  move.copied = true;
  for (const std::shared_ptr<Content>& content : {file.content, file.owed != nullptr ? file.owed->content : nullptr, p_.contents.peek(moved.id, moved.etag)}) {
    if (content != nullptr) {
      const std::lock_guard content_lock(content->mutex);
      content->etag = version;
      if (info) {
        content->info = info;
      } else if (content->info) {
        content->info->etag = version;
      }
    }
  }
  file.node.etag = version;
  file.node.last_modified = {};  // what the answer says may be a moment off; the next listing will tell
  file.node.checked_at = p_.clock.now();
}

}  // namespace prefixfs::vfs
