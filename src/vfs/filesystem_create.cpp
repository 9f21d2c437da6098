// create: a new file, and its handle; what all new names have in common.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {

Result<Created> Filesystem::create(InodeId parent, std::string_view name, std::uint32_t mode, int flags, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  TRY_ASSIGN(const Core::NewName place, core_->new_name(parent, name));
  const auto& [directory, key, known] = place;
  if (known && known->kind == NodeKind::directory) {
    return fail(Errc::is_dir, key.str() + " is a directory");
  }
  if (known && (flags & O_EXCL) != 0) {
    return fail(Errc::exists, key.str() + " exists");
  }
  if (known) {
    TRY_ASSIGN(const Opened opened, core_->open_node(*known, flags, caller));
    return Created{.entry = core_->entry(*known), .opened = opened};
  }
  const bool asked = core_->resolver.knows_absent(parent, name) || !core_->resolver.endpoint_guards_names();
  // Whoever appends has nothing to overwrite, whatever is known.
  const bool presumed = (flags & O_EXCL) == 0 && ((flags & O_APPEND) != 0 || !asked);
  meta::Node node = core_->new_node(directory, name, NodeKind::file, mode, caller);
  node.local = true;
  TRY_ASSIGN(const Opened opened, core_->open_new(node, flags, presumed, caller));
  const std::shared_ptr<OpenFile> file = core_->open_files.handle(opened.handle)->file;
  if ((flags & O_EXCL) != 0 && core_->settings.exclusive_at_open) {
    if (auto mine = core_->claim_name(*file, key, caller.context); !mine) {
      core_->give_up_created(*file, opened.handle);
      return fail(std::move(mine.error()));
    }
  }
  return Created{.entry = core_->entry(node), .opened = opened};
}

/// The kernel has just looked the name up and found nothing; between two hosts the condition of the first PUT decides.
Result<Filesystem::Core::NewName> Filesystem::Core::new_name(InodeId parent, std::string_view name) {
  TRY(writable());
  NewName place;
  TRY_ASSIGN(place.directory, directory_of_new(parent));
  TRY(tree.check_new(parent, name, NodeKind::file));
  TRY_ASSIGN(place.key, tree.file_key(parent, name));
  TRY(check_length(place.key, name));
  TRY_ASSIGN(place.known, outside.nodes.find(parent, name));
  if (place.known && resolver.left_behind(*place.known)) {
    place.known.reset();
  }
  return place;
}

/// Errors besides those of Tree::directory(): stale (lookup() has found out that the kernel knows something else of it, and has not said so).
Result<meta::Node> Filesystem::Core::directory_of_new(InodeId parent) {
  TRY_ASSIGN(meta::Node directory, tree.directory(parent));
  if (untold.contains(parent)) {
    untold.remove(parent);
    return fail(Errc::stale, directory.name + " is another directory than the kernel knows");
  }
  return directory;
}

Result<void> Filesystem::Core::check_length(const Key& key, std::string_view name) const {
  if (key.str().size() > settings.key_bytes_max) {
    return fail(Errc::name_too_long, fmt::format("the key of {} has {} bytes below the prefix; S3 allows {}", name, key.str().size(),
                                            settings.key_bytes_max));
  }
  return {};
}

/// In a directory with the set-group-id bit all that is made gets its group, and directories the bit too.
meta::Node Filesystem::Core::new_node(const meta::Node& directory, std::string_view name, NodeKind kind, std::uint32_t mode, const Caller& caller) const {
  const WallTime now = outside.clock.now();
  meta::Node node{.parent = directory.id, .name = std::string(name), .kind = kind, .checked_at = now, .changed_at = now};
  node.posix = {.mode = mode & 07777, .uid = caller.uid, .gid = caller.gid, .mtime_ns = now.time_since_epoch().count()};
  node.posix_exact = true;
  const PosixAttributes above = attributes(directory).posix;
  if ((above.mode & S_ISGID) != 0) {
    node.posix.gid = above.gid;
    node.posix.mode |= kind == NodeKind::directory ? S_ISGID : 0;
  }
  return node;
}

/// `node` gets its record and is open then.
Result<Opened> Filesystem::Core::open_new(meta::Node& node, int flags, bool presumed, const Caller& caller) {
  TRY_ASSIGN(node, outside.nodes.put(std::move(node)));
  absent.remove(node.parent, node.name);
  const auto opened = open_node(node, flags & ~O_TRUNC, caller);
  if (!opened) {
    TRY(outside.nodes.erase(node.parent, node.name));
    return fail(opened.error());
  }
  const std::shared_ptr<OpenFile> file = open_files.handle(opened->handle)->file;
  const std::lock_guard lock(file->mutex);
  file->unstored = true;
  file->exclusive = (flags & O_EXCL) != 0;
  file->presumed_new = presumed;
  file->overwrites = !file->exclusive;
  note_locked(*file);
  touch(node.parent);
  return *opened;
}

/// excl=open: an empty object under the name, if S3 has none. What is written goes on from it.
Result<void> Filesystem::Core::claim_name(OpenFile& file, const Key& key, const CallContext& context) {
  const std::lock_guard one_at_a_time(file.commit_mutex);
  const meta::Node node = node_of(file);
  const SpanSource nothing({});
  const s3::ObjectHeaders headers = committer.headers_for(node, nullptr);
  const auto made = outside.store.put(key, nothing, headers, s3::WriteCondition::if_absent(), context);
  if (!made) {
    Error error = made.error();
    error.code = error.code == Errc::conflict ? Errc::exists : error.code;
    return fail(std::move(error));
  }
  ObjectInfo info{.key = key, .size = 0, .etag = made->etag, .complete = true};
  s3::apply_headers(headers, info);
  const std::lock_guard lock(file.mutex);
  file.exclusive = false;
  file.unstored = false;
  file.node.etag = made->etag;
  file.node.local = false;
  file.node.checked_at = outside.clock.now();
  {
    const std::lock_guard content_lock(file.content->mutex);
    file.content->etag = made->etag;
    file.content->info = std::move(info);
  }
  note_locked(file);
  TRY(outside.nodes.put(file.node));
  return {};
}

/// Somebody else has the name, or S3 has not answered: it is as if nothing had been created here.
void Filesystem::Core::give_up_created(OpenFile& file, HandleId handle) {
  meta::Node node;
  {
    const std::lock_guard lock(file.mutex);
    file.unlinked = true;
    note_locked(file);
    node = file.node;
  }
  close_handle(handle);
  auto forgotten = outside.nodes.erase(node.parent, node.name);
  if (forgotten) {
    forgotten = outside.nodes.forget_listing(node.parent);
  }
  if (!forgotten) {
    outside.log.warn("the metadata cache keeps a name that is not there: {}", describe(forgotten.error()));
  }
}

}  // namespace prefixfs::vfs
