#include "resolver.h"

#include <fmt/format.h>

#include "attributes.h"
#include "first_block.h"
#include "prefixfs/s3/client.h"

namespace prefixfs::vfs {
namespace {

// A directory of up to so many pages is listed again when it is asked for an unknown name; a larger one is asked for the name alone.
constexpr std::uint32_t kSmallDirectoryPages = 3;
// A directory of thousands of objects does not vanish from one second to the next, and every lookup in it asks S3 anyway.
constexpr int kWindowsOfLargeDirectory = 60;
// What a program that reads a directory needs for each name before it comes to the last one.
constexpr std::chrono::microseconds kTimePerName{100};

}  // namespace

bool Resolver::fresh(WallTime seen) const { return remaining(seen) > std::chrono::nanoseconds::zero(); }

std::chrono::nanoseconds Resolver::remaining(WallTime seen) const {
  const std::chrono::nanoseconds age = p_.clock.now() - seen;
  // A clock that was set back must not make old knowledge fresh for ever.
  if (age < -p_.settings.freshness) {
    return std::chrono::nanoseconds::zero();
  }
  return std::max(std::chrono::nanoseconds::zero(), std::min(p_.settings.freshness, p_.settings.freshness - age));
}

bool Resolver::large(InodeId directory) const {
  const auto state = p_.nodes.listing(directory);
  return state && (state->pages > kSmallDirectoryPages || (state->pages == 0 && large_.contains(directory)));
}

bool Resolver::left_behind(const meta::Node& node) const {
  return node.local && node.kind == NodeKind::file && node.checked_at < started_ && p_.open_files.find(node.id) == nullptr;
}

bool Resolver::overtaken(WallTime seen, WallTime learnt) const { return learnt > seen && learnt <= p_.clock.now(); }

Error Resolver::absent_error(InodeId parent, std::string_view name) const {
  const auto key = p_.tree.file_key(parent, name);
  return {Errc::not_found, fmt::format("{} does not exist", key ? key->str() : std::string(name)), {}};
}

Result<meta::Node> Resolver::find(InodeId parent, std::string_view name, const CallContext& context) {
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  if (known) {
    return confirm(*known, context);
  }
  TRY_ASSIGN(const meta::Node found, find_unseen(parent, name, context));
  // What a listing brought is not exact; of a name that is asked for alone, mode, owner and mtime are wanted too.
  return confirm(found, context);
}

Result<meta::Node> Resolver::find_unseen(InodeId parent, std::string_view name, const CallContext& context) {
  if (fresh(p_.absent.seen(parent, name))) {
    return fail(absent_error(parent, name));
  }
  TRY_ASSIGN(const meta::ListingState listing, p_.nodes.listing(parent));
  if (listing.complete && fresh(listing.listed_at)) {
    return fail(absent_error(parent, name));
  }
  return find_unknown(parent, name, context);
}

Result<meta::Node> Resolver::find_unknown(InodeId parent, std::string_view name, const CallContext& context) {
  if (!p_.rights.may_list()) {
    return find_without_listing(parent, name, false, context);
  }
  if (predictor_.expects_object(parent)) {
    auto found = fetch_first_block(parent, name, context);
    if (found || found.error().code != Errc::not_found) {
      return found;
    }
  }
  auto found = large(parent) ? find_by_small_listing(parent, name, context) : find_by_listing(parent, name, context);
  if (!found && found.error().code == Errc::denied && !p_.rights.may_list()) {
    return find_without_listing(parent, name, false, context);
  }
  predictor_.learn(parent, found && found->kind == NodeKind::file);
  return found;
}

Result<meta::Node> Resolver::find_by_listing(InodeId parent, std::string_view name, const CallContext& context) {
  const WallTime began = p_.clock.now();
  const auto state = p_.nodes.listing(parent);
  const std::uint32_t pages = state && state->pages > 0 ? kSmallDirectoryPages : 1;
  TRY_ASSIGN(const Lister::Outcome outcome, p_.lister.list(parent, pages, context));
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  if (known) {
    return *known;
  }
  if (outcome.complete) {
    TRY(absence_seen(parent, name, began));
    return fail(absent_error(parent, name));
  }
  large_.add(parent);
  return find_by_small_listing(parent, name, context);
}

Result<meta::Node> Resolver::find_by_small_listing(InodeId parent, std::string_view name, const CallContext& context) {
  const WallTime began = p_.clock.now();
  TRY_ASSIGN(const Lister::NameOutcome outcome, p_.lister.look_for(parent, name, context));
  if (outcome.directory) {
    return store_directory(parent, name, began);
  }
  if (outcome.object) {
    return store_version(parent, name, *outcome.object, began);
  }
  TRY(absence_seen(parent, name, began));
  return fail(absent_error(parent, name));
}

/// Without s3:ListBucket an unknown name is an object, or a directory with a marker. A name with the extension of a file type is
/// only looked for as an object: that keeps `create` at one request more, and nobody calls a directory x.pdf.
Result<meta::Node> Resolver::find_without_listing(InodeId parent, std::string_view name, bool known_directory, const CallContext& context) {
  const WallTime began = p_.clock.now();
  if (!known_directory) {
    auto found = fetch_first_block(parent, name, context);
    if (found || found.error().code != Errc::not_found) {
      return found;
    }
  }
  if (known_directory || !s3::has_known_extension(name)) {
    TRY_ASSIGN(const Key marker, p_.tree.marker_key(parent, name));
    const auto info = p_.store.head(marker, context);
    if (info) {
      return store_directory(parent, name, began);
    }
    if (info.error().code != Errc::not_found && info.error().code != Errc::denied) {
      return fail(info.error());
    }
  }
  TRY(absence_seen(parent, name, began));
  return fail(absent_error(parent, name));
}

Result<meta::Node> Resolver::confirm(const meta::Node& node, const CallContext& context) { return confirm_for(Purpose::show, node, context); }

Result<meta::Node> Resolver::confirm_for_open(const meta::Node& node, const CallContext& context) {
  return confirm_for(Purpose::open, node, context);
}

Result<meta::Node> Resolver::confirm_for(Purpose purpose, const meta::Node& node, const CallContext& context) {
  if (node.id == meta::kRootInode) {
    return node;
  }
  if (const auto file = p_.open_files.find(node.id)) {
    // What this mount writes is as this mount sees it; what it only reads stays its version while it is open (see store_version).
    const std::lock_guard lock(file->mutex);
    if (file->needs_commit_locked() || file->writers > 0 || file->node.local) {
      return file->node;
    }
  }
  TRY_ASSIGN(meta::Node confirmed, confirm_closed(purpose, node, context));
  return apart_from_open(std::move(confirmed));
}

/// A listing may have brought another version under the inode that programs here are still reading.
Result<meta::Node> Resolver::apart_from_open(meta::Node node) {
  const auto file = p_.open_files.find(node.id);
  if (file == nullptr) {
    return node;
  }
  {
    const std::lock_guard lock(file->mutex);
    if (file->node.etag == node.etag) {
      return node;
    }
  }
  TRY(p_.nodes.erase(node.parent, node.name));
  node.id = 0;
  return p_.nodes.put(std::move(node));
}

Result<meta::Node> Resolver::confirm_closed(Purpose purpose, const meta::Node& node, const CallContext& context) {
  if (left_behind(node)) {
    TRY(p_.nodes.erase(node.parent, node.name));
    return find_unseen(node.parent, node.name, context);
  }
  if (node.local && node.kind == NodeKind::file) {
    return node;
  }
  if (purpose == Purpose::open && node.kind == NodeKind::file ? current(node) : believed(node)) {
    return node;
  }
  return node.kind == NodeKind::directory ? refresh_directory(node, context) : refresh_file(node, context);
}

/// Whether S3 has confirmed it within the window.
bool Resolver::current(const meta::Node& node) const {
  return fresh(node.checked_at) || (p_.settings.immutable && node.kind == NodeKind::file && node.checked_at != WallTime{});
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
  return node.kind == NodeKind::directory && large(node.id) && p_.clock.now() - node.checked_at < p_.settings.freshness * kWindowsOfLargeDirectory;
}

void Resolver::directory_was_read(InodeId directory) {
  const auto listing = p_.nodes.listing(directory);
  const auto names = std::chrono::nanoseconds(kTimePerName) * static_cast<std::int64_t>(listing ? listing->entries : 0);
  read_.add(directory, p_.clock.now() + p_.settings.freshness + names);
}

bool Resolver::listed_lately(const meta::Node& node) const {
  const WallTime now = p_.clock.now();
  if (!read_.believed(node.parent, now) || node.checked_at > now) {
    return false;
  }
  const auto listing = p_.nodes.listing(node.parent);
  return listing && listing->complete && node.checked_at >= listing->listed_at;
}

Result<meta::Node> Resolver::refresh_file(const meta::Node& node, const CallContext& context) {
  auto found = fetch_first_block(node.parent, node.name, context);
  if (found || found.error().code != Errc::not_found || !p_.rights.may_list()) {
    return found;
  }
  // The object is gone; a directory may have taken its name.
  return find_by_small_listing(node.parent, node.name, context);
}

Result<meta::Node> Resolver::refresh_directory(const meta::Node& node, const CallContext& context) {
  TRY_ASSIGN(const meta::ListingState listing, p_.nodes.listing(node.id));
  if (node.posix_exact && listing.complete && fresh(listing.listed_at) && listing.entries > 0) {
    return node;
  }
  if (!p_.rights.may_list()) {
    // Directories without a marker are known from the names below them, and cannot be asked for.
    TRY_ASSIGN(const bool has_children, p_.nodes.has_children(node.id));
    if (node.local || has_children) {
      return node.posix_exact ? node : read_marker(node, context);
    }
    return find_without_listing(node.parent, node.name, true, context);
  }
  const WallTime began = p_.clock.now();
  bool exists = false;
  bool new_marker = false;
  if (large(node.id)) {
    TRY_ASSIGN(const std::string prefix, p_.tree.directory_prefix(node.id));
    TRY_ASSIGN(const Lister::BelowOutcome below, p_.lister.look_below(prefix, context));
    exists = below.marker || below.others;
    new_marker = below.marker && !node.posix_exact;
  }
  if (!exists) {
    TRY_ASSIGN(const Lister::Outcome outcome, p_.lister.list(node.id, 1, context));
    // What a listing of nothing leaves below is local: files being written, directories kept. It keeps its directory too.
    TRY_ASSIGN(const bool needed, p_.nodes.has_children(node.id));
    exists = outcome.found_any || needed;
    new_marker = outcome.marker && (outcome.marker->etag != node.etag || !node.posix_exact);
    if (!outcome.complete) {
      large_.add(node.id);
    }
  }
  if (!exists && !node.local) {
    TRY(absence_seen(node.parent, node.name, began));
    return find_unknown(node.parent, node.name, context);
  }
  meta::Node confirmed = node;
  confirmed.checked_at = began;
  if (new_marker) {
    return read_marker(confirmed, context);
  }
  confirmed.posix_exact = true;  // without a marker there is nothing that could say otherwise
  return p_.nodes.put(std::move(confirmed));
}

/// The marker of a directory holds its mode, owner and mtime; it is read once per version.
Result<meta::Node> Resolver::read_marker(const meta::Node& node, const CallContext& context) {
  meta::Node confirmed = node;
  TRY_ASSIGN(const Key key, p_.tree.marker_key(node.parent, node.name));
  const auto info = p_.store.head(key, context);
  if (info) {
    confirmed.etag = info->etag;
    confirmed.last_modified = info->last_modified;
    confirmed.posix = attributes_from(*info, p_.settings, NodeKind::directory);
  } else if (info.error().code != Errc::not_found && info.error().code != Errc::denied) {
    return fail(info.error());
  }
  confirmed.posix_exact = true;
  return p_.nodes.put(std::move(confirmed));
}

Result<meta::Node> Resolver::fetch_first_block(InodeId parent, std::string_view name, const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.file_key(parent, name));
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  const WallTime began = p_.clock.now();
  const bool is_version = known && known->kind == NodeKind::file && !known->etag.empty();
  const std::shared_ptr<Content> bytes = is_version ? p_.contents.peek(known->id, known->etag) : nullptr;
  // A 304 brings no headers, so it only serves where the attributes are known.
  const bool exact = is_version && (known->posix_exact || (bytes != nullptr && bytes->headers()));
  const bool have_bytes = exact && (known->size == 0 || bytes != nullptr);
  FirstBlockSink sink(p_.stage);
  const s3::GetOptions options{.range = ByteRange{0, p_.settings.first_block_bytes},
                               .if_match = {},
                               .if_none_match = have_bytes ? known->etag : ETag()};
  const auto answer = p_.store.get(key, options, sink, context);
  if (!answer) {
    const Error& error = answer.error();
    const bool means_absent = error.code == Errc::not_found || (error.code == Errc::denied && !p_.rights.may_list() &&
                                                                error.what.find("s3:GetObject") == std::string::npos);
    if (!means_absent || error.origin.s3_code == "NoSuchBucket") {
      return fail(error);
    }
    TRY(absence_seen(parent, name, began));
    return fail(absent_error(parent, name));
  }
  if (answer->not_modified) {
    meta::Node confirmed = *known;
    confirmed.checked_at = began;
    if (!confirmed.posix_exact) {
      confirmed.posix = attributes_from(*bytes->headers(), p_.settings, NodeKind::file);
      confirmed.posix_exact = true;
    }
    return p_.nodes.put(std::move(confirmed));
  }
  TRY_ASSIGN(meta::Node node, store_version(parent, name, answer->info, began));
  if (const auto content = p_.contents.peek(node.id, answer->info.etag)) {
    const std::lock_guard lock(content->mutex);
    content->info = answer->info;  // as many bytes as came now are there already
    return node;
  }
  const bool wanted = node.etag == answer->info.etag && p_.open_files.find(node.id) == nullptr;
  if (auto block = sink.take(answer->info); block != nullptr && wanted) {
    p_.contents.put(node.id, std::move(block));
  }
  return node;
}

Result<meta::Node> Resolver::store_version(InodeId parent, std::string_view name, const ObjectInfo& info, WallTime seen) {
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  // The answer may have been overtaken by what this mount did meanwhile.
  if (overtaken(seen, p_.absent.seen(parent, name))) {
    return fail(absent_error(parent, name));
  }
  const bool own_is_newer = known && (overtaken(seen, known->checked_at) || (known->local && !left_behind(*known)));
  if (own_is_newer && known->kind == NodeKind::file && known->etag != info.etag) {
    return *known;
  }
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::file, .size = info.size, .etag = info.etag,
                  .last_modified = info.last_modified, .storage_class = info.storage_class, .checked_at = seen};
  node.posix = info.complete ? attributes_from(info, p_.settings, NodeKind::file)
                             : default_attributes(p_.settings, NodeKind::file, info.last_modified);
  node.posix_exact = info.complete;
  if (known && known->kind == NodeKind::file) {
    const bool same_version = known->etag == info.etag;
    if (same_version && !info.complete && known->posix_exact) {
      node.posix = known->posix;
      node.posix_exact = true;
    }
    node.id = same_version || p_.open_files.find(known->id) == nullptr ? known->id : 0;
  }
  if (known && node.id == 0) {
    TRY(p_.nodes.erase(parent, name));
  }
  p_.absent.remove(parent, name);
  return p_.nodes.put(std::move(node));
}

Result<meta::Node> Resolver::store_directory(InodeId parent, std::string_view name, WallTime seen) {
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  meta::Node node{.parent = parent, .name = std::string(name), .kind = NodeKind::directory, .checked_at = seen};
  if (known && known->kind == NodeKind::directory) {
    node = *known;
    node.checked_at = seen;
  } else {
    if (known) {
      TRY(p_.nodes.erase(parent, name));
    }
    node.posix = default_attributes(p_.settings, NodeKind::directory, seen);
  }
  p_.absent.remove(parent, name);
  return p_.nodes.put(std::move(node));
}

Result<void> Resolver::absence_seen(InodeId parent, std::string_view name, WallTime seen) {
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  const bool being_written = known && known->local && known->kind == NodeKind::file && !left_behind(*known);
  if (known && (overtaken(seen, known->checked_at) || being_written)) {
    return {};
  }
  return store_absence(parent, name, seen);
}

Result<void> Resolver::store_absence(InodeId parent, std::string_view name, WallTime seen) {
  p_.absent.add(parent, name, seen);
  return p_.nodes.erase(parent, name);
}

}  // namespace prefixfs::vfs
