// What S3 is asked about one name, and how its answer is recorded.

#include <fmt/format.h>

#include "attributes.h"
#include "first_block.h"
#include "resolver.h"

namespace prefixfs::vfs {
namespace {

/// Whether S3 answers a GET with InvalidObjectState until somebody restores the object.
bool archived(std::string_view storage_class) { return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE"; }

/// The body of a symlink is its target, or it is none. `body`: null where it is not here, and the metadata are believed.
FileType type_of(const ObjectInfo& info, Content* body, const Settings& settings) {
  FileType type = type_from(info, settings);
  if (type.kind != NodeKind::symlink || type.target || body == nullptr) {
    return type;
  }
  std::string target(info.size, '\0');
  const auto got = body->file->read(0, std::as_writable_bytes(std::span(target.data(), target.size())));
  if (!got || *got != target.size() || !is_target(target)) {
    return {};
  }
  type.target = std::move(target);
  return type;
}

}  // namespace

Result<meta::Node> Resolver::refresh_file(const meta::Node& node, const CallContext& context) {
  auto found = fetch_first_block(node.parent, node.name, context);
  if (found || found.error().code != Errc::not_found || !p_.rights.may_list()) {
    return found;
  }
  // The object is gone; a directory may have taken its name.
  auto instead = find_by_small_listing(node.parent, node.name, context);
  return listing_refused(instead) ? std::move(found) : std::move(instead);
}

/// Listing was worth a try, and is not any more.
bool Resolver::listing_refused(const Result<meta::Node>& found) const {
  return !found && found.error().code == Errc::denied && !p_.rights.may_list();
}

Result<meta::Node> Resolver::refresh_directory(const meta::Node& node, const CallContext& context) {
  TRY_ASSIGN(const meta::ListingState listing, p_.nodes.listing(node.id));
  if (node.posix_exact && listing.complete && fresh(listing.listed_at) && listing.entries > 0) {
    return node;
  }
  if (p_.rights.may_list()) {
    if (node.posix_exact) {
      TRY_ASSIGN(const Key marker, p_.tree.marker_key(node.parent, node.name));
      if (auto confirmed = confirm_with_others(node, marker, context)) {
        return std::move(*confirmed);
      }
    }
    auto found = refresh_directory_by_listing(node, context);
    if (!listing_refused(found)) {
      return found;
    }
  }
  // Directories without a marker are known from the names below them, and cannot be asked for.
  TRY_ASSIGN(const bool has_children, p_.nodes.has_children(node.id));
  if (node.local || has_children) {
    return node.posix_exact ? node : read_marker(node, node, context);
  }
  return find_without_listing(node.parent, node.name, true, context);
}

Result<meta::Node> Resolver::refresh_directory_by_listing(const meta::Node& node, const CallContext& context) {
  const WallTime began = p_.clock.now();
  bool exists = false;
  std::optional<ObjectInfo> marker;
  if (large(node.id)) {
    TRY_ASSIGN(const std::string prefix, p_.tree.directory_prefix(node.id));
    TRY_ASSIGN(const Lister::BelowOutcome below, p_.lister.look_below(prefix, context));
    exists = below.marker.has_value() || below.others;
    marker = below.marker;
  }
  if (!exists) {
    TRY_ASSIGN(const Listing listing, p_.lister.list(node.id, 1, context));
    // What a listing of nothing leaves below is local: files being written, directories kept. It keeps its directory too.
    TRY_ASSIGN(const bool needed, p_.nodes.has_children(node.id));
    exists = listing.found_any || needed;
    marker = listing.marker;
    if (!listing.complete) {
      large_.add(node.id);
    }
  }
  if (!exists && !node.local) {
    TRY(absence_seen(node.parent, node.name, began));
    return find_unknown(node.parent, node.name, context);
  }
  meta::Node confirmed = node;
  confirmed.checked_at = began;
  if (marker && (!node.posix_exact || marker->etag != node.etag || written_since(node, marker->last_modified))) {
    return read_marker(node, confirmed, context);
  }
  if (marker && node.last_modified == WallTime{}) {
    confirmed.last_modified = marker->last_modified;
  }
  confirmed.posix_exact = true;  // without a marker there is nothing that could say otherwise
  return store_confirmed(node, std::move(confirmed));
}

/// The marker of a directory holds its mode, owner and mtime; it is read once per version.
Result<meta::Node> Resolver::read_marker(const meta::Node& node, meta::Node confirmed, const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.marker_key(node.parent, node.name));
  const auto info = p_.store.head(key, context);
  if (info) {
    adopt_marker(confirmed, *info);
  } else if (info.error().code != Errc::not_found && info.error().code != Errc::denied) {
    return fail(info.error());
  }
  confirmed.posix_exact = true;
  return store_confirmed(node, std::move(confirmed));
}

Result<meta::Node> Resolver::learn_attributes(const meta::Node& node, const CallContext& context) {
  return node.kind == NodeKind::directory ? read_marker(node, node, context) : ask_for_headers(node.parent, node.name, p_.clock.now(), context);
}

void Resolver::adopt_marker(meta::Node& node, const ObjectInfo& info) {
  node.etag = info.etag;
  node.last_modified = info.last_modified;
  note_nonsense(info, NodeKind::directory);
  const bool touched_since = node.changed_at > info.last_modified;
  const std::int64_t touched_ns = node.posix.mtime_ns;
  node.posix = attributes_from(info, p_.settings, NodeKind::directory);
  node.posix.mtime_ns = touched_since ? touched_ns : node.posix.mtime_ns;
  node.posix_exact = true;
}

Result<meta::Node> Resolver::store_confirmed(const meta::Node& before, meta::Node confirmed) {
  TRY_ASSIGN(const std::optional<meta::Node> now, p_.nodes.put_if_unchanged(before, std::move(confirmed)));
  if (!now) {
    return fail(absent_error(before.parent, before.name));
  }
  return *now;
}

Result<meta::Node> Resolver::fetch_first_block(InodeId parent, std::string_view name, const CallContext& context) {
  return fetch_block(parent, name, p_.settings.first_block_bytes, Condition::if_changed, context);
}

Result<meta::Node> Resolver::fetch_beginning(InodeId parent, std::string_view name, std::uint64_t bytes, const CallContext& context) {
  return fetch_block(parent, name, std::max(bytes, p_.settings.first_block_bytes), Condition::if_changed, context);
}

bool Resolver::asks_to_open(const meta::Node& file) const {
  if (file.kind != NodeKind::file || file.local || file.etag.empty() || archived(file.storage_class) || p_.open_files.find(file.id) != nullptr) {
    return false;
  }
  const bool exact = file.posix_exact || p_.settings.dialect == MetadataDialect::off;
  const bool here = file.size == 0 || p_.contents.peek(file.id, file.etag) != nullptr;
  return !current(file) || !exact || !here;
}

Result<meta::Node> Resolver::fetch_block(InodeId parent, std::string_view name, std::uint64_t bytes_wanted, Condition condition,
                                         const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.file_key(parent, name));
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  const WallTime began = p_.clock.now();
  const bool is_version = known && known->kind != NodeKind::directory && !known->etag.empty();
  if (is_version && archived(known->storage_class)) {
    return ask_for_headers(parent, name, began, context);
  }
  const std::shared_ptr<Content> bytes = is_version ? p_.contents.peek(known->id, known->etag) : nullptr;
  // A 304 brings no headers, so it only serves where the attributes are known.
  const bool exact = is_version && (known->posix_exact || (bytes != nullptr && bytes->headers()));
  const bool have_bytes = condition == Condition::if_changed && exact && (known->size == 0 || bytes != nullptr || !known->target.empty());
  if (have_bytes) {
    if (auto confirmed = confirm_with_others(*known, key, context)) {
      return std::move(*confirmed);
    }
  }
  FirstBlockSink sink(p_.stage);
  const s3::GetOptions options{.range = ByteRange{0, bytes_wanted},
                               .if_match = {},
                               .if_none_match = have_bytes ? known->etag : ETag()};
  const auto answer = p_.store.get(key, options, sink, context);
  if (!answer) {
    const bool is_archived = answer.error().origin.s3_code == "InvalidObjectState";
    return is_archived ? ask_for_headers(parent, name, began, context) : not_had(parent, name, began, answer.error());
  }
  if (answer->not_modified && written_since(*known, answer->info.last_modified)) {
    return fetch_block(parent, name, bytes_wanted, Condition::none, context);
  }
  if (answer->not_modified) {
    meta::Node confirmed = *known;
    confirmed.checked_at = began;
    confirmed.last_modified = answer->info.last_modified;
    if (!confirmed.posix_exact) {
      confirmed.posix = attributes_from(*bytes->headers(), p_.settings, NodeKind::file);
      confirmed.posix_exact = true;
    }
    return store_confirmed(*known, std::move(confirmed));
  }
  auto block = sink.take(answer->info);
  TRY_ASSIGN(meta::Node node, store_version(parent, name, answer->info, type_of(answer->info, block.get(), p_.settings), began));
  if (const auto content = p_.contents.peek(node.id, answer->info.etag)) {
    const std::lock_guard lock(content->mutex);
    content->info = answer->info;  // as many bytes as came now are there already
    return node;
  }
  const bool wanted = node.etag == answer->info.etag && p_.open_files.find(node.id) == nullptr;
  if (block != nullptr && wanted) {
    p_.contents.put(node.id, std::move(block));
  }
  return node;
}

/// Without s3:ListBucket S3 refuses what is not there. Where it names another right (s3:GetObject, kms:Decrypt), the object is there, and must not be
/// taken for a free name; where it names none, nothing better is known.
bool Resolver::means_absent(const Error& error) const {
  if (error.origin.s3_code == "NoSuchBucket") {
    return false;
  }
  const bool bare_refusal = error.code == Errc::denied && error.origin.missing_right.empty();
  return error.code == Errc::not_found || (bare_refusal && p_.rights.list_was_refused());
}

/// An archived object is shown, renamed over and deleted like others; only its bytes cannot be had.
Result<meta::Node> Resolver::ask_for_headers(InodeId parent, std::string_view name, WallTime began, const CallContext& context) {
  TRY_ASSIGN(const Key key, p_.tree.file_key(parent, name));
  const auto info = p_.store.head(key, context);
  return info ? store_version(parent, name, *info, began) : not_had(parent, name, began, info.error());
}

/// S3 has refused the object: where that means that there is none, it is recorded.
Result<meta::Node> Resolver::not_had(InodeId parent, std::string_view name, WallTime began, const Error& error) {
  if (!means_absent(error)) {
    return fail(error);
  }
  TRY(absence_seen(parent, name, began));
  return fail(absent_error(parent, name));
}

Result<meta::Node> Resolver::store_version(InodeId parent, std::string_view name, const ObjectInfo& info, WallTime seen) {
  return store_version(parent, name, info, type_of(info, nullptr, p_.settings), seen);
}

Result<meta::Node> Resolver::store_version(InodeId parent, std::string_view name, const ObjectInfo& info, const FileType& type, WallTime seen) {
  if (info.size == 0 && name == shown_name({}, Shown::marker)) {
    TRY(absence_seen(parent, name, seen));  // the marker of a directory, and nothing else
    return fail(absent_error(parent, name));
  }
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  // The answer may have been overtaken by what this mount did meanwhile.
  const bool made_since = known && known->etag == info.etag;  // what is owed is the removal of the version before
  if ((p_.absent.held(parent, name) && !made_since) || overtaken(seen, p_.absent.seen(parent, name))) {
    return fail(absent_error(parent, name));
  }
  const bool own_is_newer = known && (overtaken(seen, known->checked_at) || (known->local && !left_behind(*known)));
  if (own_is_newer && known->kind != NodeKind::directory && known->etag != info.etag) {
    return *known;
  }
  note_nonsense(info, type.kind);
  meta::Node node{.parent = parent, .name = std::string(name), .kind = type.kind, .rdev = type.rdev, .target = type.target.value_or(""),
                  .size = info.size, .etag = info.etag, .last_modified = info.last_modified, .storage_class = info.storage_class,
                  .checked_at = seen};
  node.posix = info.complete ? attributes_from(info, p_.settings, NodeKind::file)
                             : default_attributes(p_.settings, NodeKind::file, info.last_modified);
  node.posix_exact = info.complete;
  if (known && known->kind != NodeKind::directory) {
    const bool same_version = known->etag == info.etag;
    if (same_version && !info.complete && known->posix_exact) {
      node.kind = known->kind;
      node.rdev = known->rdev;
      node.posix = known->posix;
      node.posix_exact = true;
    }
    if (same_version && node.kind == known->kind && node.target.empty()) {
      node.target = known->target;
    }
    node.changed_at = same_version && !written_since(*known, info.last_modified) ? known->changed_at : WallTime{};
    const bool same_inode = node.kind == known->kind && (same_version || p_.open_files.find(known->id) == nullptr);
    node.id = same_inode ? known->id : 0;
  }
  if (known && node.id == 0) {
    TRY(p_.nodes.erase(parent, name));
  }
  p_.absent.remove(parent, name);
  if (!known || node.id != known->id) {
    return p_.nodes.put(std::move(node));
  }
  // A listing that began later may have confirmed it already: going back in time would make its end drop the record.
  node.checked_at = known->checked_at <= p_.clock.now() ? std::max(seen, known->checked_at) : seen;
  return store_confirmed(*known, std::move(node));
}

/// What metadata say that cannot be counts as absent; the first is told, and then each thousandth.
void Resolver::note_nonsense(const ObjectInfo& info, NodeKind taken_for) {
  auto nonsense = nonsense_in(info, p_.settings);
  if (taken_for == NodeKind::file && type_from(info, p_.settings).kind == NodeKind::symlink) {
    nonsense = "a symbolic link whose body is no target";
  }
  if (!nonsense) {
    return;
  }
  if (const std::uint64_t count = ++nonsense_; count == 1 || count % 1000 == 0) {
    p_.log.warn("the metadata of {} make no sense: {} counts as absent ({} such answers so far)", info.key.str(), *nonsense, count);
  }
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
  const bool being_written = known && known->local && known->kind != NodeKind::directory && !left_behind(*known);
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
