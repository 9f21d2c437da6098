// unlink, mkdir, rmdir.

#include <fcntl.h>
#include <fmt/format.h>

#include "attributes.h"
#include "core.h"
#include "no_commits.h"
#include "open_note.h"
#include "prefixfs/s3/client.h"

namespace prefixfs::vfs {

Result<void> Filesystem::unlink(InodeId parent, std::string_view name, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  TRY_ASSIGN(const std::optional<meta::Node> known, core_->outside.nodes.find(parent, name));
  TRY_ASSIGN(const std::optional<meta::Node> node, known ? Result<std::optional<meta::Node>>(known) : core_->look(parent, name, caller.context));
  TRY_ASSIGN(const Key key, core_->tree.file_key(parent, name));
  if (!node) {
    return fail(Errc::not_found, key.str() + " does not exist");
  }
  if (node->kind == NodeKind::directory) {
    return fail(Errc::is_dir, key.str() + " is a directory");
  }
  const Core::HeldFile file(*core_, *node);
  const NoCommits none(*file);
  core_->node_of(*file);  // what was owed of it may have been delivered since the look
  TRY_ASSIGN(const Pin bytes, core_->detach(*node, caller.context));
  const WriteBack::Names in_hand = core_->write_back.in_hand({key});
  TRY_ASSIGN(WriteBack::Taken taken, core_->write_back.take(file.shared(), in_hand, caller.context));
  TRY(core_->remove_object(*file, taken, key, caller.context));
  core_->mark_unlinked(node->id);
  core_->contents.drop(node->id);
  core_->touch(parent);
  core_->resolver.was_removed(parent, name);
  return core_->resolver.store_absence(parent, name, core_->outside.clock.now());
}

/// The object of a file whose name goes, if there is one, and what was owed of it.
Result<void> Filesystem::Core::remove_object(OpenFile& file, WriteBack::Taken& taken, const Key& key, const CallContext& context) {
  meta::Node node;
  bool maybe_stored = false;
  bool moves = false;
  {
    const std::lock_guard lock(file.mutex);
    node = file.node;
    maybe_stored = file.maybe_stored;
    moves = !file.moves.empty();
  }
  if (node.etag.empty() && node.local && !maybe_stored) {
    return write_back.drop(taken);
  }
  keep_directory(node.parent);
  if (write_back.acknowledges_removals() || moves) {
    return write_back.remove(taken, &file, {node.parent, node.name, key}, maybe_stored ? ETag() : node.etag);
  }
  const auto removed = outside.store.remove(key, ETag(), context);
  if (!removed) {
    return queues(removed.error()) ? write_back.remove(taken, &file, {node.parent, node.name, key}, node.etag) : removed;
  }
  return write_back.drop(taken);
}

Result<Pin> Filesystem::Core::detach(const meta::Node& node, const CallContext& context) {
  const auto file = open_files.find(node.id);
  std::shared_ptr<Content> content;
  if (file != nullptr) {
    const std::lock_guard lock(file->mutex);
    const bool programs_have_it = file->handles > 1;  // besides the caller's HeldFile
    content = programs_have_it ? file->content : nullptr;
  }
  if (content == nullptr) {
    return Pin();
  }
  Pin pin(content, kWholeFile);
  std::uint64_t missing = 0;
  for (const ByteRange& gap : content->file->missing(kWholeFile)) {
    missing += gap.length();
  }
  if (missing > settings.cache_bytes_max) {
    outside.log.warn("{} goes while it is open here; {} bytes of it are not local, more than cache_size: its readers get ESTALE",
                     node.name, missing);
    return pin;
  }
  const auto there = fetcher.ensure_all(content, committer.key_of(*file), context);
  if (there) {
    return pin;
  }
  switch (there.error().code) {
    case Errc::stale:        // somebody else has replaced or deleted that version already
    case Errc::no_space:
    case Errc::denied:       // and so nobody here could have read it
    case Errc::unsupported:  // archived
      outside.log.warn("{} goes while it is open here, and its readers get ESTALE: {}", node.name, describe(there.error()));
      return pin;
    default:
      return fail(there.error());
  }
}

void Filesystem::Core::mark_unlinked(InodeId id) {
  if (const auto file = open_files.find(id)) {
    const std::lock_guard lock(file->mutex);
    file->unlinked = true;
    file->node.changed_at = outside.clock.now();
    nameless_files.add(file->node);
    if (file->content != nullptr) {
      file->content->irreplaceable = true;
      file->stale = file->stale || !file->content->file->missing(kWholeFile).empty();
      note_locked(*file);
    }
    if (file->upload != nullptr) {
      file->upload->abandon();
    }
  }
}

void Filesystem::Core::keep_directory(InodeId directory) {
  while (directory != meta::kRootInode) {
    const auto known = outside.nodes.get(directory);
    if (!known || !*known || !(*known)->etag.empty()) {
      return;
    }
    meta::Node node = **known;
    directory = node.parent;
    if (node.local) {
      continue;
    }
    node.local = true;
    if (const auto stored = outside.nodes.put(std::move(node)); !stored) {
      outside.log.warn("a directory without a marker may vanish with its last object: {}", describe(stored.error()));
    }
  }
}

Result<Entry> Filesystem::mkdir(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller) {
  TRY(core_->writable());
  TRY(check_name(name));
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  auto made = core_->make_directory(parent, name, mode, caller);
  if (made || made.error().code != Errc::exists || !caller.resent) {
    return made;
  }
  // By the process that has died, when the journal knows of it; or it had only begun to. (The kernel has let nobody look at the name meanwhile.)
  TRY_ASSIGN(const std::optional<meta::Node> before, core_->outside.nodes.find(parent, name));
  if (!before || before->kind != NodeKind::directory) {
    return made;
  }
  if (before->local) {
    return core_->tell(*before);
  }
  TRY(core_->outside.nodes.erase(parent, name));
  return core_->make_directory(parent, name, mode, caller);
}

Result<Entry> Filesystem::Core::make_directory(InodeId parent, std::string_view name, std::uint32_t mode, const Caller& caller) {
  TRY_ASSIGN(const meta::Node directory, directory_of_new(parent));
  TRY(tree.check_new(parent, name, NodeKind::directory));
  TRY_ASSIGN(const Key key, tree.marker_key(parent, name));
  TRY(check_length(key, name));
  TRY_ASSIGN(const std::optional<meta::Node> known, outside.nodes.find(parent, name));
  if (known && !resolver.left_behind(*known)) {
    return fail(Errc::exists, key.str() + " exists");
  }
  // What is made below it would not wait for the removal of a file of this name, and some servers (versitygw) cannot hold both.
  if (const auto removed = write_back.wait_for_removal(parent, name, caller.context); !removed) {
    outside.log.debug("{} is made before what had its name is removed: {}", key.str(), describe(removed.error()));
  }
  meta::Node node = new_node(directory, name, NodeKind::directory, mode, caller);
  const WallTime now = node.checked_at;
  // A removal of the same name that is still owed goes first, so the marker must come behind it.
  const bool journalled = write_back.acknowledges_directories() || absent.held(parent, name);
  if (!journalled) {
    std::optional<ObjectInfo> nothing_before;
    auto made = committer.store_attributes(node, nothing_before, caller.context);
    if (!made && queues(made.error())) {
      return make_directory(parent, name, mode, caller);  // the breaker is open now
    }
    TRY_ASSIGN(node, std::move(made));
  }
  TRY_ASSIGN(meta::Node stored, outside.nodes.put(std::move(node)));
  if (journalled) {
    auto acknowledged = write_back.make_directory(stored, false);
    if (!acknowledged) {
      TRY(outside.nodes.erase(parent, name));
      return fail(acknowledged.error());
    }
    stored = std::move(*acknowledged);
  }
  absent.remove(parent, name);
  touch(parent);
  // A directory made here is empty, and known to be: creating files in it asks nothing.
  TRY(outside.nodes.drop_unlisted(stored.id, {}, now));
  TRY(outside.nodes.put_listing(stored.id, {.listed_at = now, .complete = true, .entries = 0, .pages = 1}));
  return entry(stored);
}

Result<void> Filesystem::rmdir(InodeId parent, std::string_view name, const Caller& caller) {
  TRY(core_->writable());
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.change({{parent, name}}, caller.context));
  TRY_ASSIGN(const std::optional<meta::Node> node, core_->look(parent, name, caller.context));
  TRY_ASSIGN(const Key key, core_->tree.marker_key(parent, name));
  if (!node) {
    return fail(Errc::not_found, key.str() + " does not exist");
  }
  if (node->kind != NodeKind::directory) {
    return fail(Errc::not_dir, key.str() + " is not a directory");
  }
  const bool owes_marker = core_->write_back.owes_marker(node->id);  // S3 may get it while it is asked
  TRY_ASSIGN(const Core::Below below, core_->what_is_below(*node, key, caller.context));
  if (below.others) {
    return fail(Errc::not_empty, key.str() + " is not empty");
  }
  core_->keep_directory(parent);
  const WriteBack::Names in_hand = core_->write_back.in_hand({key});
  TRY_ASSIGN(const bool unmade, core_->write_back.unmake_directory(node->id, caller.context));
  const bool marker = (below.marker || owes_marker) && !unmade;
  if (marker && core_->write_back.acknowledges_removals()) {
    WriteBack::Taken nothing;
    TRY(core_->write_back.remove(nothing, nullptr, {parent, std::string(name), key}, ETag()));
  } else if (marker) {
    const auto removed = core_->outside.store.remove(key, ETag(), caller.context);
    if (!removed && core_->queues(removed.error())) {
      WriteBack::Taken nothing;
      TRY(core_->write_back.remove(nothing, nullptr, {parent, std::string(name), key}, ETag()));
    } else if (!removed) {
      return removed;
    }
  }
  core_->touch(parent);
  return core_->resolver.store_absence(parent, name, core_->outside.clock.now());
}

/// What this mount has below the directory, and what S3 has; in an outage, what it had when it answered last.
Result<Filesystem::Core::Below> Filesystem::Core::what_is_below(const meta::Node& directory, const Key& marker, const CallContext& context) {
  TRY_ASSIGN(std::vector<meta::Node> children, outside.nodes.children(directory.id, {}, 100));
  std::erase_if(children, [this](const meta::Node& child) { return resolver.left_behind(child); });
  if (std::ranges::any_of(children, [](const meta::Node& child) { return child.local; })) {
    return Below{.others = true};
  }
  const Below as_known{.others = !children.empty()};
  TRY_ASSIGN(const meta::ListingState listing, outside.nodes.listing(directory.id));
  auto gone = write_back.wait_for_removals(directory.id, context);
  if (gone && !rights.may_list()) {
    return as_known;
  }
  const auto below = gone ? lister.look_below(marker.str(), context) : Result<Lister::BelowOutcome>(fail(gone.error()));
  if (below) {
    return Below{.others = below->others, .marker = below->marker.has_value()};
  }
  const bool known_well_enough = s3::is_outage(below.error()) ? listing.complete || directory.local
                                                              : below.error().code == Errc::denied && !rights.may_list();
  return known_well_enough ? Result<Below>(as_known) : Result<Below>(fail(below.error()));
}

}  // namespace prefixfs::vfs
