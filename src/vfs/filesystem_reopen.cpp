// Handles of a former process of the same mount: the kernel goes on using their numbers.

#include <fcntl.h>
#include <fmt/format.h>

#include "core.h"

namespace prefixfs::vfs {
namespace {

bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

ReadAhead planner_of(const Settings& settings) {
  return ReadAhead({.first_block_bytes = settings.first_block_bytes,
                    .part_bytes = settings.read_part_bytes,
                    .parts_ahead = settings.read_parts_ahead});
}

}  // namespace

void Filesystem::number_handles_from(HandleId first) {
  core_->open_files.number_from(first);
  core_->directory_handles.number_from(first);
}

std::optional<OpenState> Filesystem::open_state(InodeId id) const {
  const auto file = core_->open_files.find(id);
  if (file == nullptr) {
    return std::nullopt;
  }
  const std::lock_guard lock(file->mutex);
  return OpenState{.version = file->node.etag,
                   .unstored = file->unlinked || file->failed || file->unrecorded_locked(),
                   .owed = !file->intents.empty()};
}

void Filesystem::on_settled(std::function<void(InodeId)> told) {
  const std::lock_guard lock(core_->tell_mutex);
  core_->tell_settled = std::move(told);
}

void Filesystem::Core::settled(const std::shared_ptr<OpenFile>& file) {
  close_file(*file, [&] { return open_files.settle(file); });
  tell_of(inode_of(*file));
}

void Filesystem::Core::tell_of(InodeId inode) {
  const std::lock_guard lock(tell_mutex);
  if (tell_settled != nullptr) {
    tell_settled(inode);
  }
}

Result<void> Filesystem::reopen(const OpenBefore& before) {
  if (before.dead) {
    Error error{writes(before.flags) ? Errc::io : Errc::stale, fmt::format("inode {} was lost with a process that has died", before.inode), {}};
    core_->add_dead_handle(before, error);
    return fail(std::move(error));
  }
  auto reopened = before.state.unstored ? core_->reopen_unstored(before) : core_->reopen(before);
  if (!reopened) {
    core_->add_dead_handle(before, reopened.error());
    core_->forget_lost(before.inode);
  }
  return reopened;
}

void Filesystem::reopen_directory(HandleId handle, InodeId id) { core_->directory_handles.restore(handle, id); }

void Filesystem::end_reopening() {
  for (const auto& file : core_->open_files.all()) {
    file->doubted = core_->outside.locks != nullptr && core_->outside.locks->concerns(Core::inode_of(*file));
  }
  core_->write_back.drop_formers();
  core_->write_back.begin_deliveries();
}

/// What programs have written is in its staged file, and what must be known of it beside that. An inode with several handles is restored with the
/// first of them.
Result<void> Filesystem::Core::reopen_unstored(const OpenBefore& before) {
  auto former = write_back.take_former(before.inode);
  std::shared_ptr<OpenFile> file;
  if (former) {
    TRY(take_name_again(*former));
    file = open_files.acquire(former->note.node, writes(before.flags));
    restore_from_note(*file, former->note, former->content);
    room.watch(former->content);
  } else if (open_files.find(before.inode) != nullptr) {
    meta::Node node;
    node.id = before.inode;
    file = open_files.acquire(node, writes(before.flags));
  } else {
    const auto node = outside.nodes.get(before.inode);
    // Its last commit may have ended, and nobody has said so: then it is another version by now.
    const bool stored_meanwhile = node && *node && !(*node)->local && !(*node)->etag.empty() && (*node)->etag != before.state.version;
    return stored_meanwhile ? reopen({before.handle, before.inode, before.flags, {.version = (*node)->etag}})
                            : Result<void>(fail(Errc::io, fmt::format("{}: what was written and not closed is lost with the process that has died",
                                                                      node && *node ? (*node)->name : fmt::format("inode {}", before.inode))));
  }
  open_files.restore_handle(before.handle, file, before.flags, planner_of(settings));
  return {};
}

/// The journal was read before: a removal in it has taken the record of what was made under the name since, and a rename or a new file in it may have
/// the name of one that S3 never had. Then the process died before it noted that one as unlinked.
Result<void> Filesystem::Core::take_name_again(WriteBack::Former& former) {
  OpenNote& note = former.note;
  if (note.unlinked) {
    return {};
  }
  TRY_ASSIGN(const std::optional<meta::Node> named, outside.nodes.find(note.node.parent, note.node.name));
  if (!named) {
    TRY_ASSIGN(note.node, outside.nodes.put(note.node));
  } else if (named->id != note.node.id && named->local && note.node.etag.empty()) {
    note.unlinked = true;
    former.content->file->track(encode_note(note));
  }
  return {};
}

/// Nothing is fetched: what is read carries If-Match, and a version that is gone is told then.
Result<void> Filesystem::Core::reopen(const OpenBefore& before) {
  if (const auto owed = open_files.find(before.inode)) {
    // Acknowledged from the journal: the bytes are here, whatever S3 has.
    open_files.restore_handle(before.handle, open_files.acquire(owed->node, writes(before.flags)), before.flags, planner_of(settings));
    return {};
  }
  TRY_ASSIGN(const std::optional<meta::Node> node, outside.nodes.get(before.inode));
  const bool delivered = before.state.owed && node && !node->local;
  if (!node || node->kind != NodeKind::file || (node->etag != before.state.version && !delivered)) {
    return fail(Errc::stale, fmt::format("the version of {} that was open is gone", node ? node->name : fmt::format("inode {}", before.inode)));
  }
  const std::shared_ptr<OpenFile> file = open_files.acquire(*node, writes(before.flags));
  auto prepared = [&]() -> Result<void> {
    const std::lock_guard lock(file->mutex);
    if (file->content == nullptr) {
      TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, outside.stage.create(node->size));
      file->content = std::make_shared<Content>(std::move(staged), node->etag);
      file->content->opened = true;
      room.watch(file->content);
    }
    return {};
  }();
  if (!prepared) {
    open_files.give_up(file, writes(before.flags));
    return prepared;
  }
  open_files.restore_handle(before.handle, file, before.flags, planner_of(settings));
  return {};
}

/// It stands apart from the table of inodes: whoever opens the name now gets what is there now.
void Filesystem::Core::add_dead_handle(const OpenBefore& before, const Error& error) {
  meta::Node nameless;
  nameless.name = fmt::format("inode {}", before.inode);
  const auto file = std::make_shared<OpenFile>(nameless);
  file->handles = 1;
  file->writers = writes(before.flags) ? 1 : 0;
  file->unlinked = true;  // nothing is stored
  file->stale = true;
  file->failed = error;
  open_files.restore_handle(before.handle, file, before.flags, planner_of(settings));
}

void Filesystem::Core::forget_lost(InodeId id) {
  tree.doubt(id);
  const auto node = outside.nodes.get(id);
  if (node && *node && (*node)->local && (*node)->kind != NodeKind::directory) {
    // It never reached S3. Whoever opens the name looks it up again.
    auto forgotten = outside.nodes.erase((*node)->parent, (*node)->name);
    forgotten = forgotten ? outside.nodes.forget_listing((*node)->parent) : std::move(forgotten);
    if (!forgotten) {
      outside.log.warn("the metadata cache keeps a name that is gone: {}", describe(forgotten.error()));
    }
  }
}

}  // namespace prefixfs::vfs
