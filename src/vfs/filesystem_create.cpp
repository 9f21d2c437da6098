// create: a new file, and its handle.

#include <fcntl.h>
#include <fmt/format.h>

#include "attributes.h"
#include "core.h"
#include "open_note.h"

namespace prefixfs::vfs {

Result<Created> Filesystem::create(InodeId parent, std::string_view name, std::uint32_t mode, int flags, const Caller& caller) {
  TRY(core_->writable());
  TRY(check_name(name));
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  TRY(core_->tree.directory(parent));
  TRY_ASSIGN(const Key key, core_->tree.file_key(parent, name));
  if (key.str().size() > core_->settings.key_bytes_max) {
    return fail(Errc::name_too_long, fmt::format("the key of {} has {} bytes below the prefix; S3 allows {}", name, key.str().size(),
                                            core_->settings.key_bytes_max));
  }
  // The kernel has just looked the name up and found nothing; between two hosts the condition of the first PUT decides.
  TRY_ASSIGN(std::optional<meta::Node> known, core_->outside.nodes.find(parent, name));
  if (known && core_->resolver.left_behind(*known)) {
    known.reset();
  }
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
  const WallTime now = core_->outside.clock.now();
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::file, .local = true, .checked_at = now};
  node.posix = {.mode = mode & 07777, .uid = caller.uid, .gid = caller.gid, .mtime_ns = now.time_since_epoch().count()};
  node.posix_exact = true;
  TRY_ASSIGN(const meta::Node stored, core_->outside.nodes.put(std::move(node)));
  core_->absent.remove(parent, name);
  const auto opened = core_->open_node(stored, flags & ~O_TRUNC, caller);
  if (!opened) {
    TRY(core_->outside.nodes.erase(parent, name));
    return fail(opened.error());
  }
  const std::shared_ptr<OpenFile> file = core_->open_files.handle(opened->handle)->file;
  {
    const std::lock_guard lock(file->mutex);
    file->unstored = true;
    file->exclusive = (flags & O_EXCL) != 0;
    file->presumed_new = presumed;
    file->overwrites = !file->exclusive;
    note_locked(*file);
  }
  if ((flags & O_EXCL) != 0 && core_->settings.exclusive_at_open) {
    if (auto mine = core_->claim_name(*file, key, caller.context); !mine) {
      core_->give_up_created(*file, opened->handle);
      return fail(std::move(mine.error()));
    }
  }
  return Created{.entry = core_->entry(stored), .opened = *opened};
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
