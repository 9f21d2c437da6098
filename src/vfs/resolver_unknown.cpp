// Names of which nothing is known: with which request are they asked for, or must they be?

#include "prefixfs/s3/client.h"
#include "resolver.h"

namespace prefixfs::vfs {
namespace {

// A directory of up to so many pages is listed again when it is asked for an unknown name; a larger one is asked for the name alone.
constexpr std::uint32_t kSmallDirectoryPages = 3;
// A program that writes one new file after another gets by with one listing in so many windows.
constexpr int kWindowsOfListingForNewFiles = 60;

}  // namespace

bool Resolver::large(InodeId directory) const {
  const auto state = p_.nodes.listing(directory);
  return state && (state->pages > kSmallDirectoryPages || (state->pages == 0 && large_.contains(directory)));
}

bool Resolver::knows_absent(InodeId parent, std::string_view name) const {
  if (p_.absent.held(parent, name) || fresh(p_.absent.seen(parent, name))) {
    return true;
  }
  const auto listing = p_.nodes.listing(parent);
  return listing && listing->complete && fresh(listing->listed_at);
}

bool Resolver::endpoint_guards_names() const { return p_.store.capabilities().conditional_put == s3::Support::yes; }

/// An unknown name that is going to be written from its first byte. A file that somebody else has made since makes the first PUT fail
/// (OpenFile::presumed_new); a directory would not, so there must be a reason to believe that none has the name.
bool Resolver::may_be_taken_for_new(InodeId parent, std::string_view name) const {
  if (!endpoint_guards_names()) {
    return false;
  }
  if (!p_.rights.may_list()) {
    return s3::has_known_extension(name);  // never looked for as a directory, see find_without_listing()
  }
  const auto listing = p_.nodes.listing(parent);
  const std::chrono::nanoseconds age = listing ? p_.clock.now() - listing->listed_at : std::chrono::nanoseconds::max();
  return listing && listing->complete && age >= std::chrono::nanoseconds::zero() &&
         age < p_.settings.freshness * kWindowsOfListingForNewFiles;
}

Result<meta::Node> Resolver::find_unseen(InodeId parent, std::string_view name, const CallContext& context,
                                         const std::function<LookupIntent()>& intent) {
  const bool absent = knows_absent(parent, name);
  if (!absent && !may_be_taken_for_new(parent, name)) {
    return find_unknown(parent, name, context);
  }
  switch (intent ? intent() : LookupIntent::unknown) {
    case LookupIntent::open_anew:
      return fail(absent_error(parent, name));
    case LookupIntent::open:
      // Another host may have closed the file a moment ago, and told the program: no knowledge of absence is new enough.
      return absent ? fetch_first_block(parent, name, context) : find_unknown(parent, name, context);
    case LookupIntent::open_below:
      return find_unknown(parent, name, context);  // the same of a directory on the way to the file
    case LookupIntent::unknown:
    case LookupIntent::make:
    case LookupIntent::remove:
      break;
  }
  if (!absent) {
    return find_unknown(parent, name, context);
  }
  const bool asked_itself = fresh(p_.absent.seen(parent, name));
  if (!asked_itself && predictor_.expects_object(parent)) {
    return fetch_first_block(parent, name, context);
  }
  return fail(absent_error(parent, name));
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
  if (listing_refused(found)) {
    return find_without_listing(parent, name, false, context);
  }
  predictor_.learn(parent, found && found->kind != NodeKind::directory);
  return found;
}

Result<meta::Node> Resolver::find_by_listing(InodeId parent, std::string_view name, const CallContext& context) {
  const WallTime began = p_.clock.now();
  const auto state = p_.nodes.listing(parent);
  const std::uint32_t pages = state && state->pages > 0 ? kSmallDirectoryPages : 1;
  TRY_ASSIGN(const Listing listing, p_.lister.list(parent, pages, context));
  TRY_ASSIGN(const std::optional<meta::Node> known, p_.nodes.find(parent, name));
  if (known) {
    return *known;
  }
  if (listing.complete) {
    TRY(absence_seen(parent, name, began));
    return fail(absent_error(parent, name));
  }
  if (pages == kSmallDirectoryPages) {
    TRY(p_.nodes.forget_listing(parent));  // it has grown since: what was known of its size is wrong
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
      TRY_ASSIGN(const meta::Node found, store_directory(parent, name, began));
      meta::Node exact = found;
      adopt_marker(exact, *info);
      return store_confirmed(found, std::move(exact));
    }
    if (info.error().code != Errc::not_found && info.error().code != Errc::denied) {
      return fail(info.error());
    }
  }
  TRY(absence_seen(parent, name, began));
  return fail(absent_error(parent, name));
}

}  // namespace prefixfs::vfs
