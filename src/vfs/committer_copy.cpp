// A file that programs copy is copied within S3: its bytes stay there.

#include "committer.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::vfs {
namespace {

bool is_empty_locked(const OpenFile& file) {
  return file.unstored && !file.unlinked && !file.failed && file.content != nullptr && file.content->file->size() == 0;
}

}  // namespace

Result<bool> Committer::store_copy(OpenFile& file, const CopyFrom& from, const CallContext& context) {
  State state{.key = {}, .content = nullptr, .upload = file.upload};
  {
    const std::lock_guard lock(file.mutex);
    if (!is_empty_locked(file)) {
      return false;
    }
    file.appends = false;
    file.modified_locked(p_.clock.now());
    state.content = file.content;
    state.emptied = file.emptied;
  }
  const std::shared_ptr<Content> before = state.content;  // with the note of it: who dies on the way leaves the file as it was
  TRY_ASSIGN(const sync::UploadTarget target, target_of(file, state, context));
  // Another client's file of that name is not to be replaced, and where the endpoint cannot see to that for a copy, it can for a PUT.
  if (target.condition.kind != s3::WriteCondition::Kind::none && p_.store.capabilities().conditional_copy == s3::Support::no) {
    return false;
  }
  TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, p_.stage.create(from.size));
  TRY_ASSIGN(const std::optional<ETag> version, copy_or_find(file, from, target, context));
  if (!version) {
    return false;
  }
  state.content = std::make_shared<Content>(std::move(staged), *version);
  state.content->opened = true;
  {
    const std::lock_guard lock(file.mutex);
    if (file.content != before || !is_empty_locked(file)) {
      // Programs have gone on with it meanwhile, and overwrite what is there now.
      file.exclusive = false;
      file.presumed_new = false;
      file.overwrites = true;
      return false;
    }
    file.content = state.content;
    file.upload.reset();
  }
  adopt(file, state, target, {.etag = *version, .size = from.size, .change_count = state.content->file->change_count(), .headers = target.headers});
  return true;
}

/// The version that the copy has. Nothing: S3 has not made it, and whoever sends the bytes will be told what the reason is.
Result<std::optional<ETag>> Committer::copy_or_find(OpenFile& file, const CopyFrom& from, const sync::UploadTarget& target, const CallContext& context) {
  const s3::CopyOptions options{.replace = target.headers, .storage = {}, .condition = target.condition, .own_tags = true, .grants = target.headers.grants};
  const auto answer = sync::copy_object(p_.store, {.key = from.key, .if_match = from.version}, from.size, target.key, options, context);
  if (answer) {
    return std::optional(answer->etag);
  }
  Copy made{.node = {}, .source = from.key, .destination = target.key, .attributes = true};
  bool perhaps = answer.error().origin.sent_twice;
  {
    const std::lock_guard lock(file.mutex);
    perhaps = perhaps || file.maybe_stored;
    note_maybe_stored(file, answer.error());
    made.node = file.node;
    made.node.etag = from.version;
    made.node.size = from.size;
  }
  p_.log.info("{} is not copied to {} within S3: {}", from.key.str(), target.key.str(), describe(answer.error()));
  return perhaps && answer.error().code == Errc::conflict ? own_copy(made, context) : Result<std::optional<ETag>>(std::nullopt);
}

}  // namespace prefixfs::vfs
