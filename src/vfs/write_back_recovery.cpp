// After a restart: what a former process has acknowledged and not delivered.

#include <fmt/format.h>

#include "write_back.h"

namespace prefixfs::vfs {
namespace {

stage::FileState state_of(const meta::StagedBytes& bytes) {
  return {.name = bytes.name, .size = bytes.size, .base_size = bytes.base_size, .valid = bytes.valid, .dirty = bytes.dirty, .change_count = 0};
}

/// Of a symlink that is owed.
Result<std::string> target_in(Content& content) {
  std::string target(std::min<std::uint64_t>(content.file->size(), meta::kTargetBytesMax), '\0');
  TRY(content.file->read(0, std::as_writable_bytes(std::span(target.data(), target.size()))));
  return target;
}

}  // namespace

Result<void> WriteBack::recover() {
  TRY_ASSIGN(const meta::JournalContents journal, p_.journal.load());
  for (const std::string& sentence : journal.damaged) {
    p_.log.error("journal: {}; it is set aside, and staged files without a record are moved to kept/", sentence);
  }
  {
    const std::lock_guard lock(mutex_);
    recovering_ = true;
  }
  bool whole = journal.damaged.empty();
  std::map<std::string, std::shared_ptr<Content>> contents;
  for (const meta::Intent& intent : journal.intents) {
    const auto recovered = intent.kind == meta::IntentKind::store          ? recover_store(intent, contents)
                           : intent.kind == meta::IntentKind::store_marker ? recover_marker(intent)
                           : intent.kind == meta::IntentKind::move         ? recover_move(intent)
                           : intent.kind == meta::IntentKind::upload       ? recover_upload(intent)
                           : intent.kind == meta::IntentKind::move_directory ? recover_directory_move(intent)
                                                                           : recover_removal(intent);
    if (!recovered) {
      whole = false;
      p_.log.error("journal: {} (intent {}) cannot be delivered and stays in the journal: {}", intent.path, intent.id,
                   describe(recovered.error()));
    }
  }
  TRY(recover_open_files());
  TRY_ASSIGN(const auto unclaimed, p_.stage.remove_unclaimed(!whole));
  for (const std::string& name : unclaimed.foreign) {
    p_.log.warn("stage/{} is not a file of prefixfs and is left alone", name);
  }
  if (!journal.intents.empty()) {
    p_.log.info("{} changes of a former process are owed to S3 and will be delivered", journal.intents.size());
  }
  return {};
}

Result<void> WriteBack::recover_open_files() {
  TRY_ASSIGN(const std::vector<stage::FormerFile> files, p_.stage.former());
  for (const stage::FormerFile& former : files) {
    auto note = decode_note(former.note);
    auto staged = note ? p_.stage.reopen(former) : Result<std::shared_ptr<stage::StagedFile>>(nullptr);
    if (!staged || *staged == nullptr) {
      continue;  // acknowledged meanwhile, or of no use: remove_unclaimed() sees to it
    }
    (*staged)->track(former.note);
    const InodeId id = note->node.id;
    auto content = std::make_shared<Content>(std::move(*staged), note->node.etag);
    formers_.insert_or_assign(id, Former{std::move(*note), std::move(content)});
  }
  return {};
}

std::optional<WriteBack::Former> WriteBack::take_former(InodeId id) {
  const std::lock_guard lock(mutex_);
  const auto found = formers_.find(id);
  if (found == formers_.end()) {
    return std::nullopt;
  }
  Former former = std::move(found->second);
  formers_.erase(found);
  return former;
}

void WriteBack::drop_formers() {
  const std::lock_guard lock(mutex_);
  formers_.clear();
}

/// The directory of a path, whose records are made where the cache has lost them.
Result<InodeId> WriteBack::directory_of(std::string_view path, std::string& name, meta::NodeKind kind) {
  InodeId parent = meta::kRootInode;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    TRY_ASSIGN(std::string part, p_.tree.name_of(path.substr(0, slash)));
    path.remove_prefix(slash + 1);
    TRY_ASSIGN(std::optional<meta::Node> directory, p_.nodes.find(parent, part));
    if (!directory || directory->kind != meta::NodeKind::directory) {
      TRY_ASSIGN(directory, p_.nodes.put({.parent = parent, .name = std::move(part), .kind = meta::NodeKind::directory,
                                          .posix = {.mode = p_.settings.directory_mode, .uid = p_.settings.uid, .gid = p_.settings.gid},
                                          .local = true}));
    }
    parent = directory->id;
  }
  TRY_ASSIGN(name, p_.tree.name_in(parent, path, kind == meta::NodeKind::file));
  return parent;
}

Result<void> WriteBack::recover_store(const meta::Intent& intent, std::map<std::string, std::shared_ptr<Content>>& contents) {
  if (!intent.bytes) {
    return fail(Errc::corrupt, "the record names no staged file");
  }
  std::shared_ptr<Content>& content = contents[intent.bytes->name];
  if (content == nullptr) {
    TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, p_.stage.adopt(state_of(*intent.bytes)));
    content = std::make_shared<Content>(std::move(staged), intent.base);
    content->file->retain(true);
  }
  meta::Node node{.id = intent.inode, .kind = intent.type, .rdev = intent.rdev, .size = intent.bytes->size, .etag = intent.base, .posix = intent.posix,
                  .posix_exact = true, .local = true, .checked_at = p_.clock.now(), .changed_at = intent.since};
  if (node.kind == meta::NodeKind::symlink) {
    TRY_ASSIGN(node.target, target_in(*content));
  }
  TRY_ASSIGN(node.parent, directory_of(intent.path, node.name));
  TRY_ASSIGN(node, p_.nodes.put(std::move(node)));
  const std::shared_ptr<OpenFile> file = p_.open_files.restore(node);
  auto owed = std::make_shared<Owed>();
  owed->intent = intent.id;
  owed->key = Key(intent.path);
  owed->content = content;
  owed->posix = intent.posix;
  owed->since = intent.since;
  owed->appends = intent.appends;
  {
    const std::lock_guard lock(file->mutex);
    file->node = node;
    file->content = content;
    file->appends = intent.appends;
    file->exclusive = intent.guard == meta::IntentGuard::absent;
    file->presumed_new = intent.guard == meta::IntentGuard::absent_or_newer;
    file->overwrites = intent.guard == meta::IntentGuard::none || file->presumed_new;
    file->maybe_stored = true;  // the former process may have died between S3's answer and its note
    owed->maybe_stored = file->intents.empty();  // those behind it have waited for it
    file->owed = owed;
    file->intents.push_back(intent.id);
  }
  add(intent.id, {.kind = meta::IntentKind::store, .path = intent.path, .since = intent.since, .file = file, .owed = owed, .refusal = intent.last_error},
      intent.parked);
  return {};
}

Result<void> WriteBack::recover_move(const meta::Intent& intent) {
  auto move = std::make_shared<OwedMove>();
  move->intent = intent.id;
  move->source = Key(intent.source);
  move->path = Key(intent.path);
  move->size = intent.size;
  move->no_replace = intent.guard == meta::IntentGuard::absent;
  move->replaces = true;  // nobody knows any more
  move->attempted = true;
  move->since = intent.since;
  const PosixAttributes& posix = intent.posix;
  move->changes.mode = intent.changed.mode ? std::optional(posix.mode) : std::nullopt;
  move->changes.uid = intent.changed.uid ? std::optional(posix.uid) : std::nullopt;
  move->changes.gid = intent.changed.gid ? std::optional(posix.gid) : std::nullopt;
  move->changes.mtime_ns = intent.changed.mtime ? std::optional(posix.mtime_ns) : std::nullopt;
  move->changes.atime_ns = intent.changed.atime ? std::optional(posix.atime_ns.value_or(posix.mtime_ns)) : std::nullopt;
  move->changes.xattrs = intent.changed.xattrs ? posix.xattrs : meta::Xattrs();
  if (move->renames()) {
    TRY_ASSIGN(move->source_parent, directory_of(intent.source, move->source_name));
  }
  const auto open = p_.open_files.find(intent.inode);  // an intent before this one has it
  TRY_ASSIGN(std::optional<meta::Node> node, open != nullptr ? Result<std::optional<meta::Node>>(open->node) : p_.nodes.get(intent.inode));
  if (!node) {
    node = {.id = intent.inode, .kind = intent.type, .rdev = intent.rdev, .posix = posix, .checked_at = p_.clock.now()};
  }
  if (open == nullptr) {
    node->size = intent.size;
    node->etag = intent.base;
  }
  node->local = true;
  meta::Xattrs xattrs = std::move(node->posix.xattrs);
  for (const auto& [name, value] : posix.xattrs) {
    xattrs.insert_or_assign(name, value);
  }
  node->posix = posix;
  node->posix.xattrs = std::move(xattrs);
  node->checked_at = p_.clock.now();
  TRY_ASSIGN(node->parent, directory_of(intent.path, node->name));
  TRY_ASSIGN(node, p_.nodes.put(std::move(*node)));
  const std::shared_ptr<OpenFile> file = p_.open_files.restore(*node);
  {
    const std::lock_guard lock(file->mutex);
    file->node = *node;
    file->moves.push_back(move);
    file->intents.push_back(intent.id);
  }
  begin(move, file, intent.parked, intent.last_error);
  return {};
}

Result<void> WriteBack::recover_marker(const meta::Intent& intent) {
  meta::Node node{.id = intent.inode, .kind = meta::NodeKind::directory, .posix = intent.posix, .posix_exact = true, .local = true,
                  .checked_at = p_.clock.now()};
  TRY_ASSIGN(node.parent, directory_of(std::string_view(intent.path).substr(0, intent.path.size() - 1), node.name, meta::NodeKind::directory));
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(node.parent, node.name));
  if (!known || known->id != intent.inode || (!known->local && known->etag.empty())) {
    TRY(p_.nodes.put(std::move(node)));
  }
  add(intent.id, {.kind = intent.kind, .path = intent.path, .since = intent.since, .inode = intent.inode, .there = true, .refusal = intent.last_error},
      intent.parked);
  return {};
}

Result<void> WriteBack::recover_upload(const meta::Intent& intent) {
  add(intent.id, {.kind = intent.kind, .path = intent.path, .since = intent.since, .name = intent.source, .refusal = intent.last_error},
      intent.parked);
  return {};
}

Result<void> WriteBack::recover_removal(const meta::Intent& intent) {
  if (intent.kind != meta::IntentKind::remove) {
    return fail(Errc::unsupported, "this version of prefixfs does not know this kind of intent");
  }
  Entry entry{.kind = meta::IntentKind::remove, .path = intent.path, .since = intent.since, .version = intent.base, .refusal = intent.last_error};
  const bool marker = intent.path.ends_with('/');
  const std::string_view path = std::string_view(intent.path).substr(0, intent.path.size() - (marker ? 1 : 0));
  TRY_ASSIGN(entry.parent, directory_of(path, entry.name, marker ? meta::NodeKind::directory : meta::NodeKind::file));
  TRY(p_.nodes.erase(entry.parent, entry.name));
  p_.absent.hold(entry.parent, entry.name, intent.id);
  add(intent.id, std::move(entry), intent.parked);
  return {};
}

}  // namespace prefixfs::vfs
