// Renames of directories: journalled before the first request, delivered as one copy for each object, and gone on with or undone after a crash. Who renames
// waits for S3 in any case: until the copies are there, nothing can be read under the new name.

#include <fmt/format.h>

#include <unordered_map>

#include "write_back.h"

namespace prefixfs::vfs {
namespace {

using meta::DirectoryMoveStage;

/// Inodes of names below a directory, as the cache has them.
class NodesBelow {
 public:
  NodesBelow(meta::NodeCache& nodes, const Tree& tree, InodeId directory) : nodes_(nodes), tree_(tree) { directories_[""] = directory; }

  /// `path` of a directory ends with '/', that of the directory itself is empty.
  Result<std::optional<meta::Node>> find(const std::string& path) {
    if (path.empty()) {
      return nodes_.get(directories_.at(""));
    }
    const auto slash = path.size() < 2 ? std::string::npos : path.rfind('/', path.size() - 2);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    TRY_ASSIGN(const InodeId parent, directory(path.substr(0, begin)));
    const bool marker = path.ends_with('/');
    if (parent == 0) {
      return std::optional<meta::Node>();
    }
    TRY_ASSIGN(const std::string name, tree_.name_in(parent, path.substr(begin, path.size() - begin - (marker ? 1 : 0)), !marker));
    TRY_ASSIGN(std::optional<meta::Node> node, nodes_.find(parent, name));
    const bool fits = node && (node->kind == meta::NodeKind::directory) == marker;
    return fits ? std::move(node) : std::nullopt;
  }

 private:
  /// 0: the cache has none.
  Result<InodeId> directory(const std::string& path) {
    if (const auto known = directories_.find(path); known != directories_.end()) {
      return known->second;
    }
    TRY_ASSIGN(const std::optional<meta::Node> node, find(path));
    return directories_[path] = node ? node->id : 0;
  }

  meta::NodeCache& nodes_;
  const Tree& tree_;
  std::unordered_map<std::string, InodeId> directories_;
};

}  // namespace

Result<void> WriteBack::rename_directory(const DirectoryRename& rename, const CallContext& context) {
  const auto move = std::make_shared<DirectoryMove>();
  move->directory = rename.directory;
  move->from = rename.from;
  move->to = rename.to;
  TRY_ASSIGN(move->closed, p_.gate.begin(move->from.prefix, move->to.prefix, context));
  auto journalled = [&]() -> Result<void> {
    TRY(wait_for_prefix(move->from.prefix, context));
    TRY(wait_for_prefix(move->to.prefix, context));
    TRY(wait_for_removal(move->to.parent, move->to.name, context));
    TRY(rename.still_allowed());
    const Names names = names_.take({move->from.prefix, move->to.prefix});
    TRY_ASSIGN(move->intent, p_.journal.next_id());
    move->since = p_.clock.now();
    TRY(write_journal({.put = {record_of(*move)}, .erase = {}}));
    begin(move);
    return {};
  }();
  if (!journalled) {
    p_.gate.end(move->closed);
    return journalled;
  }
  auto done = queue_.wait_for(std::span(&move->intent, 1), false, context);
  if (!done) {
    TRY_ASSIGN(const bool withdrawn, queue_.withdraw_after(move->intent, context));
    if (withdrawn && move->stage == DirectoryMoveStage::copying) {
      give_up(*move, std::move(done.error()));
    }
    if (withdrawn) {
      enqueue(move->intent, *entry(move->intent), false);
    }
  }
  // What is left to be removed, or taken back, the journal sees to.
  return move->failed ? Result<void>(fail(*move->failed)) : Result<void>();
}

meta::Intent WriteBack::record_of(const DirectoryMove& move) {
  meta::Intent intent{.id = move.intent, .kind = meta::IntentKind::move_directory, .inode = move.directory, .path = move.to.prefix,
                      .source = move.from.prefix, .since = move.since};
  intent.stage = move.stage;
  return intent;
}

/// It is in the journal.
void WriteBack::begin(const std::shared_ptr<DirectoryMove>& move) {
  hold_names(*move);
  add(move->intent, {.kind = meta::IntentKind::move_directory, .path = move->to.prefix, .since = move->since, .directory = move});
}

/// Of the two names one is not there for this mount, whatever S3 shows of the middle.
void WriteBack::hold_names(const DirectoryMove& move) {
  const bool moved = move.stage == DirectoryMoveStage::removing;
  const DirectoryMove::Name& hidden = moved ? move.from : move.to;
  const DirectoryMove::Name& shown = moved ? move.to : move.from;
  p_.absent.let_go(shown.parent, shown.name, move.intent);
  p_.absent.remove(shown.parent, shown.name);
  p_.absent.hold(hidden.parent, hidden.name, move.intent);
  p_.gate.close(*move.closed, move.stage != DirectoryMoveStage::undoing, move.stage != DirectoryMoveStage::removing);
}

/// The journal does not have it any more.
void WriteBack::end(const DirectoryMove& move) {
  if (const auto written = write_journal({.put = {}, .erase = {move.intent}}); !written) {
    still_recorded(move.intent, move.to.prefix, written.error());
  }
  const bool moved = move.stage == DirectoryMoveStage::removing;
  const DirectoryMove::Name& gone = moved ? move.from : move.to;
  if (move.failed) {
    forget_listing(gone.parent);  // some of it may be there
  } else {
    note_absent(gone.parent, gone.name);
  }
  p_.absent.let_go(gone.parent, gone.name, move.intent);
  forget(move.intent);
  p_.gate.end(move.closed);
}

/// It has failed before all was copied.
void WriteBack::give_up(DirectoryMove& move, Error error) {
  p_.log.error("{} was not renamed to {}, and what was copied is taken back: {}", move.from.prefix, move.to.prefix, describe(error));
  move.stage = DirectoryMoveStage::undoing;
  move.failed = std::move(error);
  if (const auto written = write_journal({.put = {record_of(move)}, .erase = {}}); !written) {
    p_.log.warn("after a crash the rename of {} would be gone on with: {}", move.from.prefix, describe(written.error()));
  }
  hold_names(move);
}

Result<void> WriteBack::deliver_directory_move(const Entry& entry, const CallContext& context) {
  DirectoryMove& move = *entry.directory;
  const auto again = [](const Error& error) { return sync::is_outage(error) || error.code == Errc::cancelled; };
  p_.gate.stall(*move.closed, false);
  std::unique_ptr<sync::PrefixMove> objects = std::move(move.copied);
  auto done = Result<void>();
  if (objects == nullptr) {
    const sync::PrefixMoveOptions options{.key_bytes_max = p_.settings.key_bytes_max, .keep_acls = p_.settings.keep_acls};
    objects = std::make_unique<sync::PrefixMove>(p_.store, move.from.prefix, move.to.prefix, options, move.progress, p_.log);
    done = objects->list(std::exchange(move.attempted, true), context);
  }
  const bool listed = static_cast<bool>(done);
  if (done && move.stage == DirectoryMoveStage::copying) {
    done = objects->copy(context);
    done = done ? switch_names(move, objects->objects()) : std::move(done);
  }
  if (!done && move.stage == DirectoryMoveStage::copying && !again(done.error())) {
    give_up(move, std::move(done.error()));
    done = {};
  }
  if (done) {
    done = move.stage == DirectoryMoveStage::undoing ? objects->remove_copies(context) : objects->remove_sources(context);
  }
  if (!done && again(done.error())) {
    move.copied = listed && move.stage == DirectoryMoveStage::removing ? std::move(objects) : nullptr;
    p_.gate.stall(*move.closed, true);
    return done;
  }
  if (!done) {
    p_.log.error("{} was renamed to {}, and a part of it stays under both names: {}", move.from.prefix, move.to.prefix, describe(done.error()));
    move.failed = move.failed ? std::move(move.failed) : std::move(done.error());
  }
  end(move);
  return {};
}

/// All is copied: from now on the directory is under its new name.
Result<void> WriteBack::switch_names(DirectoryMove& move, const std::vector<sync::MovedObject>& objects) {
  move.stage = DirectoryMoveStage::removing;
  if (auto written = write_journal({.put = {record_of(move)}, .erase = {}}); !written) {
    move.stage = DirectoryMoveStage::copying;
    return written;
  }
  adopt_times(move, objects);
  auto moved = Result<void>();
  p_.gate.while_quiet(*move.closed, [&] {
    moved = move_record(move);
    if (moved) {
      moved = adopt_versions(move, objects);
    }
  });
  if (!moved) {  // S3 has it all, and is asked again
    p_.log.warn("the metadata cache did not take the new name of {}: {}", move.from.prefix, describe(moved.error()));
    forget_listing(move.from.parent);
  }
  forget_listing_if_unknown(move);
  hold_names(move);
  return {};
}

Result<void> WriteBack::move_record(const DirectoryMove& move) {
  TRY_ASSIGN(const std::optional<meta::Node> node, p_.nodes.get(move.directory));
  if (!node || node->parent != move.from.parent || node->name != move.from.name) {
    return {};
  }
  TRY(p_.nodes.erase(move.to.parent, move.to.name));
  TRY(p_.nodes.move(move.directory, move.to.parent, move.to.name));
  return {};
}

/// After a lost cache nothing of the directory is known: whoever asks for it asks S3.
void WriteBack::forget_listing_if_unknown(const DirectoryMove& move) {
  const auto node = p_.nodes.get(move.directory);
  if (!node || !*node) {
    forget_listing(move.to.parent);
  }
}

/// A copy has a time of its own, which the next listing will tell: that is no sign of another client.
void WriteBack::adopt_times(const DirectoryMove& move, const std::vector<sync::MovedObject>& objects) {
  NodesBelow below(p_.nodes, p_.tree, move.directory);
  for (const sync::MovedObject& object : objects) {
    const auto known = below.find(object.name);
    if (known && *known && (*known)->etag == object.version) {
      meta::Node copied = **known;
      copied.last_modified = {};
      // Where the cache does not take it, the object's headers are asked for once more.
      [[maybe_unused]] const auto stored = p_.nodes.put_if_unchanged(**known, std::move(copied));
    }
  }
}

/// The copy of an upload of parts has another ETag. What programs have open goes on from the copies.
Result<void> WriteBack::adopt_versions(const DirectoryMove& move, const std::vector<sync::MovedObject>& objects) {
  NodesBelow below(p_.nodes, p_.tree, move.directory);
  for (const sync::MovedObject& object : objects) {
    if (object.copy == object.version) {
      continue;
    }
    TRY_ASSIGN(std::optional<meta::Node> node, below.find(object.name));
    if (!node || node->etag != object.version) {
      continue;
    }
    if (const auto file = p_.open_files.find(node->id)) {
      const std::lock_guard lock(file->mutex);
      if (file->content != nullptr) {
        const std::lock_guard content_lock(file->content->mutex);
        file->content->etag = file->content->etag == object.version ? object.copy : file->content->etag;
      }
      file->node.etag = file->node.etag == object.version ? object.copy : file->node.etag;
      note_locked(*file);
    }
    node->etag = object.copy;
    TRY(p_.nodes.put(std::move(*node)));
  }
  for (const std::shared_ptr<OpenFile>& file : p_.open_files.all()) {
    const std::lock_guard lock(file->mutex);
    const auto prefix = p_.tree.directory_prefix(file->node.parent);
    if (file->upload != nullptr && prefix && prefix->starts_with(move.to.prefix)) {
      file->upload->abandon();  // its parts are under the former key
    }
  }
  return {};
}

Result<void> WriteBack::recover_directory_move(const meta::Intent& intent) {
  const auto move = std::make_shared<DirectoryMove>();
  const auto name_of = [&](const std::string& prefix) -> Result<DirectoryMove::Name> {
    DirectoryMove::Name name{.parent = 0, .name = {}, .prefix = prefix};
    TRY_ASSIGN(name.parent, directory_of(std::string_view(prefix).substr(0, prefix.size() - 1), name.name, meta::NodeKind::directory));
    return name;
  };
  move->intent = intent.id;
  move->directory = intent.inode;
  TRY_ASSIGN(move->from, name_of(intent.source));
  TRY_ASSIGN(move->to, name_of(intent.path));
  move->since = intent.since;
  move->stage = intent.stage;
  move->attempted = true;
  if (move->stage == DirectoryMoveStage::removing) {
    TRY(move_record(*move));  // the record may have come first
    TRY(p_.nodes.erase(move->from.parent, move->from.name));
  }
  move->closed = p_.gate.begin_at_start(move->from.prefix, move->to.prefix);
  begin(move);
  return {};
}

}  // namespace prefixfs::vfs
