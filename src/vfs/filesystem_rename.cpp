// rename.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>

#include <tuple>

#include "attributes.h"
#include "core.h"
#include "no_commits.h"
#include "open_note.h"

namespace prefixfs::vfs {

Result<void> Filesystem::rename(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name, unsigned flags,
                                const Caller& caller) {
  TRY(core_->writable());
  TRY(check_name(new_name));
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    return fail(Errc::invalid, "only RENAME_NOREPLACE is possible: S3 cannot exchange two objects at once");
  }
  const Core::Destination to{new_parent, new_name, (flags & RENAME_NOREPLACE) != 0};
  TRY_ASSIGN(const std::optional<Core::Rename> directory, core_->rename_if_file(parent, name, to, caller));
  return directory ? core_->rename_directory(*directory, caller.context) : Result<void>();
}

/// Gives back what is to be done with a directory.
Result<std::optional<Filesystem::Core::Rename>> Filesystem::Core::rename_if_file(InodeId parent, std::string_view name, const Destination& to,
                                                                                 const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, gate.change({{parent, name}, {to.parent, to.name}}, caller.context));
  TRY_ASSIGN(const std::optional<meta::Node> node, look(parent, name, caller.context));
  if (!node) {
    Error not_there{Errc::not_found, std::string(name) + " does not exist", {}};
    TRY(caller.resent ? renamed_before(to.parent, to.name, std::move(not_there), caller.context) : fail(std::move(not_there)));
    return std::optional<Rename>();
  }
  if (parent == to.parent && name == to.name) {
    return std::optional<Rename>();
  }
  TRY_ASSIGN(const std::optional<meta::Node> target, look(to.parent, to.name, caller.context));
  if (target && to.no_replace) {
    return fail(Errc::exists, std::string(to.name) + " exists");
  }
  if (target && target->id == node->id) {
    return std::optional<Rename>();
  }
  TRY(tree.check_new(to.parent, to.name, node->kind));
  const bool directory = node->kind == NodeKind::directory;
  if (target && directory && target->kind != NodeKind::directory) {
    return fail(Errc::not_dir, std::string(to.name) + " is not a directory");
  }
  if (target && !directory && target->kind == NodeKind::directory) {
    return fail(Errc::is_dir, std::string(to.name) + " is a directory");
  }
  Rename rename{*node, target, to.parent, to.name, to.no_replace, caller.resent};
  if (directory) {
    return std::optional(std::move(rename));
  }
  TRY(rename_file(rename, caller.context));
  return std::optional<Rename>();
}

/// A former process has died without answering, and what its record says is done by now, or owed: then S3 gets it before it is acknowledged, as then.
Result<void> Filesystem::Core::renamed_before(InodeId parent, std::string_view name, Error otherwise, const CallContext& context) {
  TRY_ASSIGN(const std::optional<meta::Node> node, look(parent, name, context));
  if (!node) {
    return fail(std::move(otherwise));
  }
  const auto file = open_files.find(node->id);
  if (file == nullptr || settings.journal_commits) {
    return {};
  }
  const auto delivered = write_back.wait_for(*file, context);
  if (!delivered && !queues(delivered.error())) {
    return delivered;
  }
  const std::lock_guard lock(file->mutex);
  return file->failed ? Result<void>(fail(*file->failed)) : Result<void>();
}

Result<void> Filesystem::Core::rename_file(const Rename& rename, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(rename.node.parent, rename.node.name));
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  if (destination.str().size() > settings.key_bytes_max) {
    return fail(Errc::name_too_long, destination.str() + " is longer than a key can be");
  }
  const HeldFile file(*this, rename.node);
  std::optional<HeldFile> replaced;
  std::optional<NoCommits> none;
  Pin replaced_bytes;
  if (rename.target) {
    replaced.emplace(*this, *rename.target);
    none.emplace(*file, **replaced);
    TRY_ASSIGN(replaced_bytes, detach(*rename.target, context));
  } else {
    none.emplace(*file);
  }
  const WriteBack::Names in_hand = write_back.in_hand({source, destination});
  WriteBack::Taken replaced_owed;
  bool over_object = false;
  if (replaced) {
    TRY_ASSIGN(replaced_owed, write_back.take(replaced->shared(), in_hand, context));
    over_object = may_have_object(**replaced);  // a delivery may have ended until then
  }
  meta::Node mine = node_of(*file);
  TRY_ASSIGN(bool moved, move_owed(file.shared(), rename, in_hand, replaced_owed, over_object, context));
  const WriteBack::NewName to{.parent = rename.new_parent, .name = std::string(rename.new_name), .key = destination, .no_replace = rename.no_replace,
                              .replaces = over_object};
  if (!moved && write_back.acknowledges_moves(*file)) {
    keep_directory(rename.node.parent);
    TRY(write_back.rename(file.shared(), to, in_hand, replaced_owed));
    moved = true;
  }
  mine = node_of(*file);
  bool free = true;
  if (!moved) {
    TRY(write_back.wait_for_removal(rename.new_parent, rename.new_name, context));
    std::optional<WriteBack::BegunRename> begun;
    if (!mine.etag.empty()) {
      TRY_ASSIGN(auto noted, write_back.begin_rename(mine, to));
      begun.emplace(std::move(noted));
    }
    auto done = move_object(*file, rename, mine, context);
    if (!done && rename.resent && (done.error().code == Errc::not_found || done.error().code == Errc::exists)) {
      done = finish_renamed(rename, mine, context);
    }
    if (!done && queues(done.error()) && !mine.etag.empty()) {
      TRY(write_back.rename(file.shared(), to.after_an_attempt(), in_hand, replaced_owed));
      moved = true;
    } else {
      TRY_ASSIGN(free, std::move(done));
      TRY(write_back.drop(replaced_owed));
    }
  }
  if (rename.target) {
    mark_unlinked(rename.target->id);
    contents.drop(rename.target->id);
  }
  mine.parent = rename.new_parent;
  mine.name = std::string(rename.new_name);
  mine.changed_at = outside.clock.now();
  if (free) {
    absent.add(rename.node.parent, rename.node.name, outside.clock.now());
  } else {
    TRY(outside.nodes.forget_listing(rename.node.parent));
  }
  if (moved) {
    // Its delivery may have ended by now: what the file says of itself counts, and is recorded with its lock held, as the delivery does.
    const std::lock_guard lock(file->mutex);
    file->node.changed_at = mine.changed_at;
    TRY(outside.nodes.put(file->node));
    if (file->upload != nullptr) {
      file->upload->abandon();
    }
    note_locked(*file);
  } else {
    TRY(outside.nodes.put(mine));
    adopt_name(*file, mine, rename.no_replace, over_object);
  }
  absent.remove(mine.parent, mine.name);
  touch(rename.node.parent);
  touch(mine.parent);
  return {};
}

/// Until a file that takes its name is stored itself, the object stands under that name, and must go with it.
bool Filesystem::Core::may_have_object(const OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  return !file.node.etag.empty() || file.maybe_stored;
}

/// A file of which S3 has nothing yet is owed under its new name, and that is all. False: there is an object that must be moved.
Result<bool> Filesystem::Core::move_owed(const std::shared_ptr<OpenFile>& file, const Rename& rename, const WriteBack::Names& in_hand,
                                         WriteBack::Taken& replaced, bool over_object, const CallContext& context) {
  if (write_back.acknowledges_moves(*file)) {
    return false;  // comes behind what is owed of it
  }
  {
    TRY_ASSIGN(WriteBack::Taken taken, write_back.take(file, in_hand, context));
    std::unique_lock lock(file->mutex);
    if (taken.empty()) {
      return false;
    }
    if (file->node.etag.empty()) {
      const meta::Node before = file->node;
      const auto flags = std::tuple(file->exclusive, file->presumed_new, file->overwrites, file->maybe_stored);
      std::optional<WriteBack::Name> left;
      if (file->maybe_stored) {
        TRY_ASSIGN(Key key, tree.file_key(before.parent, before.name));
        left = {before.parent, before.name, std::move(key)};
      }
      file->node.parent = rename.new_parent;
      file->node.name = std::string(rename.new_name);
      std::tie(file->exclusive, file->presumed_new, file->overwrites, file->maybe_stored) =
          std::tuple(rename.no_replace, false, !rename.no_replace, over_object);
      const bool appended = std::exchange(file->appends, false);  // a rename replaces what has the name
      lock.unlock();
      auto moved = write_back.move(taken, replaced, left);
      if (moved) {
        return true;
      }
      lock.lock();
      file->node = before;
      std::tie(file->exclusive, file->presumed_new, file->overwrites, file->maybe_stored) = flags;
      file->appends = appended;
      return fail(std::move(moved.error()));
    }
  }
  // Parts of it are under the old name only: it is stored there, and then moved like others.
  TRY(write_back.wait_for(*file, context));
  return false;
}

/// Copy, then delete. `mine` gets the version that is under the new name then.
Result<bool> Filesystem::Core::move_object(OpenFile& file, const Rename& rename, meta::Node& mine, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(mine.parent, mine.name));
  if (mine.etag.empty()) {
    const bool maybe_stored = [&] {
      const std::lock_guard lock(file.mutex);
      return std::exchange(file.maybe_stored, false);
    }();
    return maybe_stored ? remove_renamed(rename, source, ETag(), context) : Result<bool>(true);
  }
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  const Committer::Copy copy{.node = mine, .source = source, .destination = destination, .no_replace = rename.no_replace};
  const std::shared_ptr<Content> content = content_of(file);
  auto info = content != nullptr ? content->headers() : std::nullopt;
  if (Committer::needs_headers(copy)) {
    TRY_ASSIGN(info, committer.version_info(source, mine.etag, content, context));
  } else if (info && info->etag != mine.etag) {
    info.reset();
  }
  const auto copied = committer.copy(copy, info, context);
  if (!copied) {
    Error error = copied.error();
    if (error.code == Errc::conflict || error.code == Errc::not_found) {
      // What is known of the source is out of date (or, with a condition, of the destination). The kernel looks again after ESTALE.
      tree.doubt(mine.id);
      const bool taken = rename.no_replace && outside.store.capabilities().conditional_copy == s3::Support::yes;
      error.code = error.code == Errc::not_found ? Errc::not_found : taken ? Errc::exists : Errc::stale;
    }
    return fail(std::move(error));
  }
  keep_directory(mine.parent);
  TRY_ASSIGN(const bool free, remove_renamed(rename, source, mine.etag, context));
  if (copied->etag != mine.etag) {
    contents.drop(mine.id);
  }
  mine.etag = copied->etag;
  mine.last_modified = {};  // what the answer says may be a moment off; the next listing will tell
  mine.checked_at = outside.clock.now();
  return free;
}

/// A former process has died between the steps: the copy is there, and the source is gone or to go.
Result<bool> Filesystem::Core::finish_renamed(const Rename& rename, meta::Node& mine, const CallContext& context) {
  TRY_ASSIGN(const Key source, tree.file_key(rename.node.parent, rename.node.name));
  TRY_ASSIGN(const Key destination, tree.file_key(rename.new_parent, rename.new_name));
  TRY_ASSIGN(const ObjectInfo copied, outside.store.head(destination, context));
  if (copied.size != mine.size) {
    return fail(Errc::not_found, source.str() + " does not exist");
  }
  TRY_ASSIGN(const bool free, remove_renamed(rename, source, mine.etag, context));
  contents.drop(mine.id);
  mine.etag = copied.etag;
  mine.last_modified = {};
  mine.checked_at = outside.clock.now();
  return free;
}

/// Whether the old name is free now. Another client's newer version of it stays.
Result<bool> Filesystem::Core::remove_renamed(const Rename& rename, const Key& source, const ETag& version, const CallContext& context) {
  auto removed = outside.store.remove(source, version, context);
  if (removed || removed.error().code == Errc::not_found) {
    return true;
  }
  if (removed.error().code == Errc::conflict) {
    outside.log.info("{} was written by another client while it was renamed here; that version stays", source.str());
    return false;
  }
  // Now there are two. The caller may rename again; what is under the new name is asked of S3.
  absent.remove(rename.new_parent, rename.new_name);
  TRY(outside.nodes.forget_listing(rename.new_parent));
  if (rename.target) {
    tree.doubt(rename.target->id);
  }
  return fail(removed.error());
}

void Filesystem::Core::adopt_name(OpenFile& file, const meta::Node& mine, bool no_replace, bool over_object) {
  const std::lock_guard lock(file.mutex);
  file.node.parent = mine.parent;
  file.node.name = mine.name;
  file.node.etag = mine.etag;
  file.node.last_modified = mine.last_modified;
  file.node.changed_at = mine.changed_at;
  if (file.unstored && mine.etag.empty()) {
    // Created with O_EXCL under the old name; a rename replaces what has the new one.
    file.exclusive = no_replace;
    file.presumed_new = false;
    file.overwrites = !no_replace;
    file.maybe_stored = over_object;
    file.appends = false;
  }
  if (file.upload != nullptr) {
    file.upload->abandon();
  }
  if (file.content != nullptr) {
    const std::lock_guard content_lock(file.content->mutex);
    file.content->etag = mine.etag;
    if (file.content->info) {
      file.content->info->etag = mine.etag;
    }
  }
  note_locked(file);
}

}  // namespace prefixfs::vfs
