#include "prefixfs/vfs/filesystem.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "attributes.h"
#include "core.h"
#include "first_block.h"
#include "prefixfs/base/parallel.h"

namespace prefixfs::vfs {
namespace {

constexpr std::size_t kAbsentNamesMax = 20000;
constexpr std::size_t kUntoldVersionsMax = 50000;
constexpr std::size_t kNamelessFilesMax = 1000;
// Never written; that it is absent is what the question is about.
constexpr const char* kProbedName = ".prefixfs-probe";

}  // namespace

Filesystem::Core::Core(const Settings& given, const Surroundings& around)
    : settings(given),
      outside(around),
      started_ns(outside.clock.now().time_since_epoch().count()),
      tree(outside.nodes),
      gate(tree),
      rights(outside.clock),
      absent(kAbsentNamesMax),
      untold(kUntoldVersionsMax),
      nameless_files(kNamelessFilesMax),
      contents(settings.cache_bytes_max, settings.cached_files_max),
      room(contents),
      lister(settings, outside.store, outside.nodes, tree, absent, untold, rights, outside.clock, outside.log),
      resolver({settings, outside.store, outside.nodes, outside.stage, tree, lister, absent, rights, open_files, contents, outside.clock,
                outside.log}),
      directory_reader({settings, outside.nodes, tree, lister, resolver, rights, outside.log}),
      fetcher(outside.store, room, outside.fetchers, settings.read_part_bytes),
      files_ahead({settings, outside.nodes, gate, resolver, untold, outside.clock}),
      committer({settings, outside.store, outside.nodes, outside.stage, outside.uploader, tree, fetcher, untold, contents,
                 outside.clock, outside.random, outside.log}),
      write_back({settings, outside.store, outside.nodes, outside.journal, outside.stage, tree, committer, open_files, absent, gate,
                  room, outside.breaker, outside.clock, outside.random, outside.log},
                 [this](const std::shared_ptr<OpenFile>& file) { settled(file); }) {
  if (outside.locks != nullptr) {
    outside.locks->on_lost([this](const locks::Lost& lost) { lost_locks(lost); });
  }
}

Filesystem::Core::~Core() {
  if (outside.locks != nullptr) {
    outside.locks->on_lost(nullptr);
  }
}

Result<void> Filesystem::Core::writable() const {
  if (settings.read_only) {
    return fail(Errc::read_only, "the mount is read-only (option ro)");
  }
  return {};
}

meta::Node Filesystem::Core::shown(const meta::Node& node, std::optional<std::uint64_t> closed_before) const {
  const auto file = open_files.find(node.id);
  if (file == nullptr && closed_before == open_files.closed()) {
    return node;
  }
  if (file == nullptr) {
    // Its last commit may have ended since `node` was read. It is recorded before the file leaves the table; a size from before would make the
    // kernel cut its pages.
    const auto now = outside.nodes.get(node.id);
    const bool same = now && *now && (*now)->parent == node.parent && (*now)->name == node.name;
    return same ? **now : node;
  }
  const std::lock_guard lock(file->mutex);
  meta::Node mine = file->node;
  if (file->content != nullptr) {
    mine.size = file->content->file->size();
  }
  return mine;
}

meta::Node Filesystem::Core::node_of(OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  if (file.content == nullptr && !file.needs_commit_locked() && file.moves.empty()) {
    // Between the look at the name and this moment somebody else here may have changed it.
    const auto now = outside.nodes.get(file.node.id);
    file.node = now && *now ? **now : file.node;
  }
  return file.node;
}

/// A program is writing it anew, and has not closed it: half of that must not take the place of what S3 has.
bool Filesystem::Core::replaces_unfinished(const OpenFile& file) {
  const std::lock_guard lock(file.mutex);
  return file.writers > 0 && file.overwrites && !file.node.etag.empty() && file.needs_commit_locked();
}

Attributes Filesystem::Core::attributes(const meta::Node& node) const {
  Attributes attributes{.id = node.id, .kind = node.kind, .size = node.size, .rdev = node.rdev, .posix = node.posix, .ctime_ns = 0, .links = 1};
  if (node.id == meta::kRootInode) {
    attributes.posix = root_attributes(node);
  }
  if (node.kind == NodeKind::directory) {
    // A directory without a marker has no time of its own; 1970 would be old enough to be deleted by `find -mtime`.
    attributes.posix.mtime_ns = attributes.posix.mtime_ns == 0 ? started_ns : attributes.posix.mtime_ns;
    attributes.links = 2;
    attributes.size = 4096;
  }
  if (!node.target.empty()) {
    attributes.size = node.target.size();  // where the metadata have it, the object is empty
  }
  const bool changed_here = node.changed_at != WallTime{};
  attributes.ctime_ns = changed_here ? node.changed_at.time_since_epoch().count()
                                     : std::max(attributes.posix.mtime_ns, node.last_modified.time_since_epoch().count());
  return attributes;
}

/// The options say them, until a program changes them.
PosixAttributes Filesystem::Core::root_attributes(const meta::Node& root) const {
  PosixAttributes posix = root.posix_exact ? root.posix : default_attributes(settings, NodeKind::directory, {});
  posix.mtime_ns = root.posix.mtime_ns;
  return posix;
}

/// For this host; S3 gets it with the next marker of the directory.
void Filesystem::Core::touch(InodeId directory) {
  if (const auto touched = outside.nodes.touch(directory, outside.clock.now()); !touched) {
    outside.log.warn("a directory keeps its old mtime: {}", describe(touched.error()));
  }
}

Entry Filesystem::Core::entry(const meta::Node& node, std::optional<std::uint64_t> closed_before) const {
  const meta::Node mine = shown(node, closed_before);
  const bool own = node.id == meta::kRootInode || mine.local || settings.immutable;
  // A lock makes programs see what another host has written; the kernel must not answer for that by what it knows.
  return {.attributes = attributes(mine), .valid_for = own ? settings.freshness : resolver.told_for(node), .exact = outside.locks == nullptr || mine.kind != NodeKind::file};
}

Entry Filesystem::Core::tell(const meta::Node& node) {
  const Entry told = entry(node);
  if (untold.contains(node.id)) {
    const auto record = outside.nodes.get(node.id);
    if (record && *record && (*record)->etag == node.etag && (*record)->size == told.attributes.size) {
      untold.remove(node.id);
    }
  }
  return told;
}

Result<std::optional<meta::Node>> Filesystem::Core::look(InodeId parent, std::string_view name, const CallContext& context) {
  TRY_ASSIGN(const std::optional<meta::Node> known, outside.nodes.find(parent, name));
  if (known && resolver.fresh(known->checked_at)) {
    return known;
  }
  auto found = resolver.find(parent, name, context);
  if (found) {
    return std::optional<meta::Node>(std::move(*found));
  }
  if (found.error().code == Errc::not_found && found.error().origin.s3_code != "NoSuchBucket") {
    return std::optional<meta::Node>();
  }
  return fail(found.error());
}

Filesystem::Filesystem(const Settings& settings, const Surroundings& surroundings) : core_(std::make_unique<Core>(settings, surroundings)) {}
Filesystem::~Filesystem() = default;

Result<void> Filesystem::probe(const CallContext& context) {
  // Two keys, and nothing of them is recorded: a listing of now would answer for names that come a moment later.
  const Surroundings& outside = core_->outside;
  Lister lister(core_->settings, outside.probed, outside.nodes, core_->tree, core_->absent, core_->untold, core_->rights, outside.clock, outside.log);
  const auto listed = lister.look_below("", context);
  if (listed) {
    return {};
  }
  if (listed.error().code != Errc::denied || listed.error().origin.s3_code != "AccessDenied") {
    return fail(listed.error());
  }
  // Listing is a right of its own. S3 words the refusal of a key that is not there by the right which is missing: reading, or only listing.
  FirstBlockSink nothing(outside.stage);
  const auto read = outside.probed.get(Key(kProbedName), {.range = ByteRange{0, 1}, .if_match = {}, .if_none_match = {}}, nothing, context);
  if (read || read.error().code == Errc::not_found || (read.error().code == Errc::denied && read.error().origin.missing_right.empty())) {
    return {};
  }
  return fail(read.error());
}

Result<Entry> Filesystem::lookup(InodeId parent, std::string_view name, const Caller& caller) {
  if (const auto valid = check_name(name); !valid) {
    // A name which no key can have is simply not there; only creating it is told why.
    return fail(valid.error().code == Errc::name_too_long ? Errc::name_too_long : Errc::not_found, valid.error().what);
  }
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({parent, name}, caller.context));
  if (Tree::is_hidden(parent, name)) {
    return fail(Errc::not_found, std::string(name) + " holds the locks of this prefix, and is shown nowhere");
  }
  const auto intent = [&] { return core_->outside.processes.intent_of(caller.thread, name); };
  auto found = [&]() -> Result<meta::Node> {
    TRY(core_->judged_directory(parent, caller.context));
    return core_->resolver.find(parent, name, caller.context, intent);
  }();
  if (!found && found.error().code == Errc::stale && intent() == LookupIntent::make) {
    // The kernel asks again from the directory on after an ESTALE, but not after that of a name which it looks up to make it. It is told with the next request.
    core_->untold.add(parent);
    return fail(Errc::not_found, std::move(found.error().what));
  }
  TRY_ASSIGN(const meta::Node node, std::move(found));
  return core_->tell(node);
}

Result<Entry> Filesystem::getattr(InodeId id, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  return core_->or_nameless(id, core_->attributes_now(id, caller.context));
}

Result<Entry> Filesystem::Core::attributes_now(InodeId id, const CallContext& context) {
  if (const auto file = open_files.find(id)) {
    if (const auto seen = see_newest(*file, context); !seen && seen.error().code != Errc::stale) {
      return fail(seen.error());
    }
    const std::lock_guard lock(file->mutex);
    meta::Node mine = file->node;
    if (file->content != nullptr) {
      mine.size = file->content->file->size();
    }
    Attributes mine_now = attributes(mine);
    mine_now.links = file->unlinked ? 0 : mine_now.links;
    return Entry{.attributes = mine_now, .valid_for = std::chrono::nanoseconds::zero()};
  }
  TRY_ASSIGN(const meta::Node known, tree.node(id));
  TRY_ASSIGN(const meta::Node node, of_known_inode(resolver.confirm(known, context)));
  if (node.id != id) {
    return fail(Errc::stale, node.name + " is another file now");
  }
  return tell(node);
}

Result<Entry> Filesystem::Core::or_nameless(InodeId id, Result<Entry> answer) const {
  if (answer || answer.error().code != Errc::stale || open_files.find(id) != nullptr) {
    return answer;
  }
  const std::optional<meta::Node> file = nameless_files.find(id);
  if (!file) {
    return answer;
  }
  Attributes last = attributes(*file);
  last.links = 0;
  return Entry{.attributes = last, .valid_for = std::chrono::nanoseconds::zero()};
}

FilesystemStats Filesystem::statfs() const {
  const std::uint64_t total = core_->settings.shown_bytes;
  const std::uint64_t local = core_->outside.stage.budget().used();
  return {.total_bytes = total, .free_bytes = total - std::min(total, local), .local_bytes = local};
}

void Filesystem::flush_all(const CallContext& context) {
  constexpr std::size_t kThreadsMax = 16;  // where S3 does not answer, each file takes its whole time
  const auto files = core_->open_files.all();
  for_each_index(files.size(), kThreadsMax, [&](std::size_t index) {
    OpenFile& file = *files[index];
    if (core_->replaces_unfinished(file) || !core_->write_back.commit(file, context)) {
      core_->committer.keep_bytes(file);
    }
  });
}

Result<void> Filesystem::recover() { return core_->write_back.recover(); }
std::vector<OwedIntent> Filesystem::owed() const { return core_->write_back.owed(); }
Result<void> Filesystem::drain(bool through_outage, const CallContext& context) { return core_->write_back.drain(through_outage, context); }
void Filesystem::resume() { core_->write_back.resume(); }
void Filesystem::retry(std::optional<meta::IntentId> intent) { core_->write_back.retry(intent); }
std::optional<Error> Filesystem::outage() const { return core_->write_back.outage(); }

}  // namespace prefixfs::vfs
