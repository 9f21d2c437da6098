// symlink, mknod, readlink: what is neither written nor read through a handle.

#include <fcntl.h>
#include <fmt/format.h>

#include "attributes.h"
#include "core.h"

namespace prefixfs::vfs {
namespace {

Result<void> check(const NewNode& made, const Settings& settings) {
  if (made.kind == NodeKind::directory) {
    return fail(Errc::invalid, "a directory is made by mkdir");
  }
  if (made.kind != NodeKind::file && settings.dialect == MetadataDialect::off) {
    return fail(Errc::not_permitted, "with posix_metadata=off nothing could tell a symbolic link, fifo, socket or device from a file");
  }
  if (made.kind == NodeKind::symlink && made.target.size() > meta::kTargetBytesMax) {
    return fail(Errc::name_too_long, fmt::format("the target of a symbolic link has at most {} bytes", meta::kTargetBytesMax));
  }
  return made.kind == NodeKind::symlink && !is_target(made.target) ? fail(Errc::invalid, "no target of a symbolic link") : Result<void>();
}

}  // namespace

Result<Entry> Filesystem::make_node(InodeId parent, std::string_view name, const NewNode& made, const Caller& caller) {
  TRY(core_->writable());
  TRY(check(made, core_->settings));
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  TRY_ASSIGN(const Core::NewPlace place, core_->new_place(parent, name));
  if (place.known) {
    return fail(Errc::exists, place.key.str() + " exists");
  }
  meta::Node node = core_->new_node(place.directory, name, made.kind, made.mode, caller);
  node.rdev = made.rdev;
  node.target = std::string(made.target);
  node.local = true;
  TRY_ASSIGN(const Opened opened, core_->open_new(node, O_WRONLY | O_EXCL, false, caller));
  const std::shared_ptr<OpenFile> file = core_->open_files.handle(opened.handle)->file;
  if (auto stored = core_->store_new(*file, made.target, caller); !stored) {
    core_->give_up_created(*file, opened.handle);
    if (stored.error().code != Errc::stale) {
      return fail(std::move(stored.error()));
    }
    // What it is will be asked next, and a listing cannot tell.
    [[maybe_unused]] const auto theirs = core_->resolver.fetch_first_block(parent, name, caller.context);
    return fail(Errc::exists, place.key.str() + " was made by another client");
  }
  core_->close_handle(opened.handle);
  TRY_ASSIGN(node, core_->tree.node(node.id));
  return core_->entry(node);
}

/// As a file that is created, written and closed: so an outage, a crash or a rename before the upload is nothing new.
Result<void> Filesystem::Core::store_new(OpenFile& file, std::string_view target, const Caller& caller) {
  if (!target.empty()) {
    TRY(write_staged(file, 0, std::as_bytes(std::span(target)), caller));
  }
  return write_back.commit(file, caller.context);
}

Result<std::string> Filesystem::readlink(InodeId id, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  std::optional<meta::Node> mine = core_->written_here(id);
  TRY_ASSIGN(const meta::Node known, mine ? Result<meta::Node>(std::move(*mine)) : core_->tree.node(id));
  TRY_ASSIGN(const meta::Node node, of_known_inode(core_->resolver.confirm(known, caller.context)));
  if (node.id != id) {
    return fail(Errc::stale, node.name + " is another file now");
  }
  if (node.kind != NodeKind::symlink) {
    return fail(Errc::invalid, node.name + " is no symbolic link");
  }
  return node.target.empty() ? core_->fetch_target(node, caller) : Result<std::string>(node.target);
}

/// Nobody has read the body yet: of a link that only a journal knows, or an answer to HEAD.
Result<std::string> Filesystem::Core::fetch_target(const meta::Node& link, const Caller& caller) {
  TRY_ASSIGN(const Opened opened, open_node(link, O_RDONLY, caller));
  const std::shared_ptr<OpenFile> file = open_files.handle(opened.handle)->file;
  const auto bytes = [&]() -> Result<std::string> {
    std::string target(std::min<std::uint64_t>(file->content->file->size(), meta::kTargetBytesMax + 1), '\0');
    TRY(fetcher.ensure_all(file->content, committer.key_of(*file), caller.context));
    TRY(file->content->file->read(0, std::as_writable_bytes(std::span(target.data(), target.size()))));
    return is_target(target) ? Result<std::string>(std::move(target)) : fail(Errc::io, link.name + ": the object is no target of a symbolic link");
  }();
  if (bytes) {
    const std::lock_guard lock(file->mutex);
    file->node.target = *bytes;
  }
  close_handle(opened.handle);
  if (bytes) {
    meta::Node told = link;
    told.target = *bytes;
    TRY(outside.nodes.put_if_unchanged(link, std::move(told)));
  }
  return bytes;
}

}  // namespace prefixfs::vfs
