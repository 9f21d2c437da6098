#include "resolver.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "prefixfs/s3/breaker.h"

namespace prefixfs::vfs {
namespace {

// A directory of thousands of objects does not vanish from one second to the next, and every lookup in it asks S3 anyway.
constexpr int kWindowsOfLargeDirectory = 60;
// One into which this mount stores file after file is there; its mode may be another one by now.
constexpr int kWindowsWhileStoring = 10;
// What a program that reads a directory needs for each name before it comes to the last one.
constexpr std::chrono::microseconds kTimePerName{100};
constexpr int kMomentsInWindow = 10;
constexpr std::uint64_t kNamesOfPage = 1000;

}  // namespace

bool Resolver::fresh(WallTime seen) const { return remaining(seen) > std::chrono::nanoseconds::zero(); }

std::chrono::nanoseconds Resolver::remaining(WallTime seen) const {
  const std::chrono::nanoseconds age = p_.clock.now() - seen;
  // A clock that was set back must not make old knowledge fresh for ever.
  if (age < -p_.settings.freshness || seen.time_since_epoch().count() < doubted_before_) {
    return std::chrono::nanoseconds::zero();
  }
  return std::max(std::chrono::nanoseconds::zero(), std::min(p_.settings.freshness, p_.settings.freshness - age));
}

std::chrono::nanoseconds Resolver::told_for(const meta::Node& node) const {
  const std::chrono::nanoseconds left = remaining(node.checked_at);
  const std::chrono::nanoseconds moment = p_.settings.freshness / kMomentsInWindow;
  return left < moment && believed(node) ? moment : left;
}

void Resolver::doubt_before(WallTime moment) { doubted_before_ = moment.time_since_epoch().count(); }

bool Resolver::left_behind(const meta::Node& node) const {
  return node.local && node.kind != NodeKind::directory && node.checked_at < started_ && p_.open_files.find(node.id) == nullptr;
}

bool Resolver::overtaken(WallTime seen, WallTime learnt) const { return learnt > seen && learnt <= p_.clock.now(); }

Error Resolver::absent_error(InodeId parent, std::string_view name) const {
  const auto key = p_.tree.file_key(parent, name);
  return {Errc::not_found, fmt::format("{} does not exist", key ? key->str() : std::string(name)), {}};
}

/// A file beside a directory has its name only while that is there, and its plain name afterwards.
Result<void> Resolver::check_neighbour(InodeId parent, std::string_view name, const CallContext& context) {
  const auto beside = p_.tree.directory_beside(name);
  if (!beside) {
    return {};
  }
  const auto directory = find(parent, *beside, context);
  if (directory && directory->kind == NodeKind::directory) {
    return {};
  }
  if (!directory && directory.error().code != Errc::not_found) {
    return fail(directory.error());
  }
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  if (known && p_.open_files.find(known->id) != nullptr) {
    return {};  // programs have it open under this name
  }
  TRY(p_.nodes.erase(parent, name));
  return fail(absent_error(parent, name));
}

Result<meta::Node> Resolver::find(InodeId parent, std::string_view name, const CallContext& context,
                                  const std::function<LookupIntent()>& intent) {
  TRY(check_neighbour(parent, name, context));
  TRY_ASSIGN(std::optional<meta::Node> known, p_.nodes.find(parent, name));
  if (known && left_behind(*known)) {
    TRY(p_.nodes.erase(parent, name));  // also where S3 cannot be asked: what was not closed is gone
    known.reset();
  }
  if (known) {
    return wanted_to_remove(*known, intent) ? confirm_to_remove(*known, context) : confirm_in_order(*known, context);
  }
  if (p_.absent.held(parent, name)) {
    return fail(absent_error(parent, name));
  }
  const auto found = find_unseen(parent, name, context, intent);
  if (!found && s3::is_outage(found.error()) && absent_in_outage(parent, intent)) {
    return fail(absent_error(parent, name));
  }
  // What a listing brought is not exact; of a name that is asked for alone, mode, owner and mtime are wanted too.
  return found ? confirm(*found, context) : found;
}

/// While S3 does not answer, what the last listing did not show is not there; and what is going to be written anew may be made.
/// If somebody else has made it meanwhile, that is found at its delivery.
bool Resolver::absent_in_outage(InodeId parent, const std::function<LookupIntent()>& intent) const {
  const auto listing = p_.nodes.listing(parent);
  return (listing && listing->complete) || (intent && intent() == LookupIntent::open_anew);
}

/// Who has read a large directory may come to its names long after (`du` looks at none before it has read all). Then each page is asked for again, and not each name;
/// what that says is shown as it was to who read the directory.
Result<meta::Node> Resolver::confirm_in_order(const meta::Node& node, const CallContext& context) {
  const bool only_listed = node.kind == NodeKind::file && !node.posix_exact && !node.local;
  if (!only_listed || !large(node.parent) || !read_.contains(node.parent)) {
    return confirm(node, context);
  }
  const WallTime now = p_.clock.now();
  const auto before = looks_.before(node.parent, node.name, now, p_.settings.freshness);
  looks_.add(node.parent, node.name, now, p_.settings.freshness);
  if (believed(node) || !before || !p_.rights.may_list() || !p_.lister.confirm_behind(node.parent, *before, context)) {
    return confirm(node, context);
  }
  directory_was_read(node.parent, now, kNamesOfPage);
  TRY_ASSIGN(const std::optional<meta::Node> listed, p_.nodes.find(node.parent, node.name));
  return confirm(listed.value_or(node), context);
}

/// Whether it only matters that there is a file of the name: neither bytes nor attributes of what is removed are wanted. In a sticky directory the kernel judges by the
/// owner, and who has the file open keeps its version.
bool Resolver::wanted_to_remove(const meta::Node& node, const std::function<LookupIntent()>& intent) const {
  const bool simple = intent && node.kind != NodeKind::directory && !node.local && p_.open_files.find(node.id) == nullptr;
  return simple && !believed(node) && !sticky(node.parent) && intent() == LookupIntent::remove;
}

/// Names that are removed in order are confirmed by listings, each for as many as go within a window.
Result<meta::Node> Resolver::confirm_to_remove(const meta::Node& node, const CallContext& context) {
  const auto before = removals_.before(node.parent, node.name, p_.clock.now(), p_.settings.freshness);
  if (!current(node) && before && p_.rights.may_list()) {
    [[maybe_unused]] const auto listed = p_.lister.confirm_behind(node.parent, *before, context);  // without an answer it is asked for alone
  }
  TRY_ASSIGN(const std::optional<meta::Node> now, p_.nodes.find(node.parent, node.name));
  return now && current(*now) ? Result<meta::Node>(*now) : confirm(now.value_or(node), context);
}

void Resolver::was_removed(InodeId parent, std::string_view name) { removals_.add(parent, name, p_.clock.now(), p_.settings.freshness); }

/// All of it is known (and here), as of others all over the tree: a listing may confirm them together. Nothing: it is to be asked for alone.
std::optional<meta::Node> Resolver::confirm_with_others(const meta::Node& known, const Key& key, const CallContext& context) {
  const auto listing = p_.rights.may_list() ? scattered_.listing_for(key.str(), p_.clock.now(), p_.settings.freshness) : std::nullopt;
  if (!listing) {
    return std::nullopt;
  }
  const auto outcome = p_.lister.confirm_tree(listing->prefix, listing->start_after, context);
  if (!outcome) {
    return std::nullopt;
  }
  scattered_.listed(*listing, outcome->confirmed, outcome->complete, p_.clock.now(), p_.settings.freshness);
  const auto now = p_.nodes.get(known.id);
  const bool same = now && *now && (*now)->parent == known.parent && (*now)->name == known.name && (*now)->etag == known.etag && (*now)->posix_exact;
  return same && current(**now) ? *now : std::nullopt;
}

bool Resolver::sticky(InodeId directory) const {
  const auto known = p_.nodes.get(directory);
  if (!known || !*known) {
    return true;  // nothing is known of it
  }
  const bool as_options_say = directory == meta::kRootInode && !(*known)->posix_exact;
  return ((as_options_say ? p_.settings.directory_mode : (*known)->posix.mode) & S_ISVTX) != 0;
}

Result<meta::Node> Resolver::confirm(const meta::Node& node, const CallContext& context) { return confirm_for(Purpose::show, node, context); }

Result<meta::Node> Resolver::confirm_for_open(const meta::Node& node, const CallContext& context) {
  return confirm_for(Purpose::open, node, context);
}

Result<meta::Node> Resolver::confirm_exactly(const meta::Node& node, const CallContext& context) {
  return confirm_for(Purpose::attributes, node, context);
}

Result<meta::Node> Resolver::confirm_for(Purpose purpose, const meta::Node& node, const CallContext& context) {
  if (node.id == meta::kRootInode) {
    return node;
  }
  if (const auto file = p_.open_files.find(node.id)) {
    // What this mount writes is as this mount sees it; what it only reads stays its version while it is open (see store_version).
    const std::lock_guard lock(file->mutex);
    if (file->leads_locked() || file->node.local) {
      return file->node;
    }
  }
  auto confirmed = confirm_closed(purpose, node, context);
  if (!confirmed && s3::is_outage(confirmed.error())) {
    return node;  // nothing better is known while S3 does not answer, and what is local of it can be read
  }
  return confirmed ? apart_from_open(std::move(*confirmed)) : std::move(confirmed);
}

/// A listing may have brought another version under the inode that programs here are still reading.
Result<meta::Node> Resolver::apart_from_open(meta::Node node) {
  const auto file = p_.open_files.find(node.id);
  if (file == nullptr) {
    return node;
  }
  {
    const std::lock_guard lock(file->mutex);
    // A commit or chmod of our own may have come between: then the record says so by now.
    TRY_ASSIGN(const std::optional<meta::Node> now, p_.nodes.get(node.id));
    if (file->node.etag == node.etag) {
      return node;
    }
    if (now && now->etag == file->node.etag) {
      return *now;
    }
  }
  TRY(p_.nodes.erase(node.parent, node.name));
  node.id = 0;
  return p_.nodes.put(std::move(node));
}

Result<meta::Node> Resolver::confirm_closed(Purpose purpose, const meta::Node& node, const CallContext& context) {
  if (left_behind(node)) {
    TRY(p_.nodes.erase(node.parent, node.name));
    return find_unseen(node.parent, node.name, context, {});
  }
  if (node.local && node.kind != NodeKind::directory) {
    return node;
  }
  if (confirmed_enough(purpose, node)) {
    return node;
  }
  return node.kind == NodeKind::directory ? refresh_directory(node, context) : refresh_file(node, context);
}

bool Resolver::confirmed_enough(Purpose purpose, const meta::Node& node) const {
  if (purpose == Purpose::open && node.kind != NodeKind::directory) {
    return current(node);
  }
  return believed(node) && (purpose != Purpose::attributes || node.posix_exact || p_.settings.dialect == MetadataDialect::off);
}

/// Whether S3 has confirmed it within the window.
bool Resolver::current(const meta::Node& node) const {
  return fresh(node.checked_at) || (p_.settings.immutable && node.checked_at != WallTime{});
}

/// Whether the name may be shown as it is known.
bool Resolver::believed(const meta::Node& node) const {
  if (listed_lately(node)) {
    return true;
  }
  if (!node.posix_exact && p_.settings.dialect != MetadataDialect::off) {
    return false;
  }
  if (current(node)) {
    return true;
  }
  return node.kind == NodeKind::directory && stays(node);
}

/// Whether a directory is there without being asked for, as long as that was not long ago.
bool Resolver::stays(const meta::Node& directory) const {
  const auto within = [&](int windows) { return p_.clock.now() - directory.checked_at < p_.settings.freshness * windows; };
  return (large(directory.id) && within(kWindowsOfLargeDirectory)) || (fresh(stored_into_.last(directory.id)) && within(kWindowsWhileStoring));
}

void Resolver::was_stored_in(InodeId directory, WallTime began) { stored_into_.add(directory, began); }

void Resolver::directory_was_read(InodeId directory, WallTime began, std::uint64_t names) {
  const auto looking = std::chrono::nanoseconds(kTimePerName) * static_cast<std::int64_t>(names);
  read_.add(directory, began, p_.clock.now() + p_.settings.freshness + looking);
}

bool Resolver::listed_lately(const meta::Node& node) const {
  const WallTime now = p_.clock.now();
  return node.checked_at <= now && node.checked_at.time_since_epoch().count() >= doubted_before_ &&
         read_.believed(node.parent, node.checked_at, now);
}

}  // namespace prefixfs::vfs
