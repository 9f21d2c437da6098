// Extended attributes: those of users are user metadata, those of S3 are what it says of the object.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "attributes.h"
#include "core.h"
#include "prefixfs/base/time_format.h"
#include "user_xattrs.h"

namespace prefixfs::vfs {
namespace {

Error no_such(const meta::Node& node, std::string_view name) {
  return {Errc::no_attribute, fmt::format("{} has no attribute {}", node.name, name), {}};
}

std::optional<std::string> value_of(const meta::Node& node, std::string_view name) {
  const auto found = node.posix.xattrs.find(name);
  return found == node.posix.xattrs.end() ? std::nullopt : found->second;
}

/// Nothing: S3 has not said it.
std::optional<std::string> object_field(const ObjectInfo& info, std::string_view name) {
  using Text = std::string ObjectInfo::*;
  constexpr std::array<std::pair<std::string_view, Text>, 10> kTexts{{{"version-id", &ObjectInfo::version_id},
                                                                      {"content-type", &ObjectInfo::content_type},
                                                                      {"content-encoding", &ObjectInfo::content_encoding},
                                                                      {"content-disposition", &ObjectInfo::content_disposition},
                                                                      {"content-language", &ObjectInfo::content_language},
                                                                      {"cache-control", &ObjectInfo::cache_control},
                                                                      {"expires", &ObjectInfo::expires},
                                                                      {"server-side-encryption", &ObjectInfo::sse},
                                                                      {"kms-key-id", &ObjectInfo::sse_key_id},
                                                                      {"restore", &ObjectInfo::restore}}};
  if (const auto text = std::ranges::find(kTexts, name, &std::pair<std::string_view, Text>::first); text != kTexts.end()) {
    const std::string& value = info.*(text->second);
    return value.empty() ? std::nullopt : std::optional(value);
  }
  if (name == "etag") {
    return info.etag.str();
  }
  if (name == "storage-class") {
    return info.storage_class.empty() ? "STANDARD" : info.storage_class;
  }
  if (name == "last-modified" && info.last_modified != WallTime{}) {
    return format_iso8601(info.last_modified);
  }
  return std::nullopt;
}

}  // namespace

/// The node with what its object says of it; while S3 does not answer, as far as it is known.
Result<meta::Node> Filesystem::Core::exact_node(InodeId id, const CallContext& context) {
  if (const auto file = open_files.find(id)) {
    meta::Node node;
    std::shared_ptr<Content> content;
    bool ours = false;
    {
      const std::lock_guard lock(file->mutex);
      node = file->node;
      content = file->content;
      ours = file->leads_locked() || node.local;
    }
    if (ours) {
      if (!node.posix_exact && !node.etag.empty()) {
        TRY_ASSIGN(const std::optional<ObjectInfo> info, committer.version_info(committer.key_of(*file)(), node.etag, content, context));
        if (info && info->etag == node.etag) {
          committer.exact_attributes(*file, *info, node);
        }
      }
      return node;
    }
  }
  TRY_ASSIGN(const meta::Node known, tree.node(id));
  TRY_ASSIGN(meta::Node node, of_known_inode(resolver.confirm_exactly(known, context)));
  return node.id == id ? Result<meta::Node>(std::move(node)) : fail(Errc::stale, known.name + " is another file now");
}

Result<std::string> Filesystem::xattr(InodeId id, std::string_view name, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  if (core_->settings.dialect == MetadataDialect::off) {
    return fail(Errc::unsupported, "with posix_metadata=off there are no extended attributes");
  }
  TRY_ASSIGN(const meta::Node node, core_->exact_node(id, caller.context));
  auto value = value_of(node, name);
  return value ? Result<std::string>(std::move(*value)) : fail(no_such(node, name));
}

Result<std::vector<std::string>> Filesystem::xattr_names(InodeId id, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  TRY_ASSIGN(const Entry entry, core_->attributes_now(id, caller.context));
  std::vector<std::string> names;
  for (const auto& [name, value] : entry.attributes.posix.xattrs) {
    if (value) {
      names.push_back(name);
    }
  }
  return names;
}

Result<void> Filesystem::set_xattr(InodeId id, std::string_view name, std::optional<std::string_view> value, XattrMust must, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{id, {}}}, caller.context));
  if (core_->settings.dialect == MetadataDialect::off) {
    return fail(Errc::unsupported, "with posix_metadata=off there are no extended attributes");
  }
  TRY_ASSIGN(const meta::Node node, core_->exact_node(id, caller.context));
  const auto present = value_of(node, name);
  const auto wanted = value ? std::optional<std::string>(*value) : std::nullopt;
  if (caller.resent && present == wanted) {
    return {};  // by the worker that has died
  }
  if (present && must == XattrMust::be_new) {
    return fail(Errc::exists, fmt::format("{} has an attribute {} already", node.name, name));
  }
  if (!present && must == XattrMust::be_there) {
    return fail(no_such(node, name));
  }
  SetAttributes changes;
  changes.xattrs.emplace(std::string(name), wanted);
  if (value) {
    TRY(core_->check_metadata(node, changes));
  }
  TRY(of_known_inode(core_->change_attributes(node, changes, caller.context)));
  return {};
}

/// S3 would refuse it later, perhaps when nobody waits for the answer any more.
Result<void> Filesystem::Core::check_metadata(const meta::Node& node, const SetAttributes& changes) const {
  PosixAttributes posix = node.posix;
  apply(changes, posix);
  UserMetadata metadata;
  put_attributes(metadata, posix, settings, node.kind, node.rdev);
  const std::size_t bytes = metadata_bytes(metadata);
  return bytes <= kUserMetadataBytesMax ? Result<void>()
                                        : fail(Errc::no_space, fmt::format("{}: {} bytes of attributes, S3 takes at most {} of user metadata", node.name, bytes,
                                                                           kUserMetadataBytesMax));
}

Result<std::string> Filesystem::object_field(InodeId id, std::string_view name, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  TRY_ASSIGN(const meta::Node node, core_->exact_node(id, caller.context));
  std::optional<ObjectInfo> info;
  if (!node.etag.empty()) {
    const auto file = core_->open_files.find(id);
    TRY_ASSIGN(const Key key, file != nullptr ? Result<Key>(core_->committer.key_of(*file)()) : core_->tree.key_of(node));
    const auto content = file != nullptr ? core_->content_of(*file) : core_->contents.peek(id, node.etag);
    TRY_ASSIGN(info, core_->committer.version_info(key, node.etag, content, caller.context));
  }
  auto field = info ? vfs::object_field(*info, name) : std::nullopt;
  return field ? Result<std::string>(std::move(*field)) : fail(no_such(node, name));
}

}  // namespace prefixfs::vfs
