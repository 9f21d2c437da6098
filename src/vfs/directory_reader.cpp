#include "directory_reader.h"

#include <algorithm>
#include <iterator>

namespace prefixfs::vfs {
namespace {

constexpr std::size_t kBatch = 256;

}  // namespace

Result<void> DirectoryReader::start(DirectoryHandle& handle, const CallContext& context) const {
  handle.listing.reset();
  TRY_ASSIGN(const meta::ListingState state, p_.nodes.listing(handle.directory));
  if (!state.complete || !p_.resolver.fresh(state.listed_at)) {
    // Also where listing was refused before: the right may have been given meanwhile.
    TRY_ASSIGN(handle.listing, p_.lister.begin(handle.directory));
    TRY(next_page(handle, context));
  }
  handle.listed = true;
  return {};
}

Result<void> DirectoryReader::next_page(DirectoryHandle& handle, const CallContext& context) const {
  TRY_ASSIGN(const std::string prefix, p_.tree.directory_prefix(handle.directory));
  if (prefix != handle.listing->prefix) {
    TRY_ASSIGN(handle.listing, p_.lister.begin(handle.directory));  // it has been renamed
  }
  auto listed = p_.lister.next_page(*handle.listing, context);
  if (listed) {
    // Who has read a page to its end may stop there; who has read two will read on.
    if (handle.listing->pages > 1 && !handle.listing->complete) {
      p_.lister.ask_ahead(*handle.listing);
    }
    return {};
  }
  TRY_ASSIGN(const meta::ListingState state, p_.nodes.listing(handle.directory));
  const bool refused = listed.error().code == Errc::denied && !p_.rights.may_list();
  if ((s3::is_outage(listed.error()) && state.complete) || (refused && p_.settings.list_known_names)) {
    handle.listing.reset();  // what was there when S3 answered last
    return {};
  }
  if (!refused) {
    return listed;
  }
  p_.log.warn("{}: cannot be listed, the right s3:ListBucket is missing; the option unlisted=known shows the names that this host knows",
              prefix.empty() ? "the mount's root" : prefix);
  return fail(Errc::denied, "listing needs the right s3:ListBucket");
}

Result<std::optional<std::vector<meta::Node>>> DirectoryReader::names_behind(DirectoryHandle& handle, InodeId last, bool may_ask,
                                                                             const CallContext& context) const {
  TRY(note_reading(handle));
  if (is_late(handle, last)) {
    return late_ones(handle, last);
  }
  std::string after;
  if (last != 0) {
    TRY_ASSIGN(after, name_of(handle, last));
  }
  while (!is_substitute(after)) {
    TRY_ASSIGN(std::vector<meta::Node> names, told_of(handle, after));
    std::erase_if(names, [&](const meta::Node& node) { return is_late(handle, node.id); });
    if (!names.empty()) {
      return names;
    }
    if (!handle.listing || handle.listing->complete) {
      break;
    }
    if (!may_ask) {
      return std::optional<std::vector<meta::Node>>();
    }
    TRY(next_page(handle, context));
    TRY(note_reading(handle));
  }
  meta::PlaceSpan left = substitutes();
  left.behind = std::max(left.behind, is_substitute(after) ? meta::place_of(after) : std::string());
  TRY_ASSIGN(std::vector<meta::Node> names, p_.nodes.children(handle.directory, left, kBatch));
  return names.empty() ? late_ones(handle, 0) : std::move(names);
}

/// The program is going to look at the names.
Result<void> DirectoryReader::note_reading(const DirectoryHandle& handle) const {
  if (handle.listing) {
    p_.resolver.directory_was_read(handle.directory, handle.listing->began, handle.listing->entries);
    return {};
  }
  TRY_ASSIGN(const meta::ListingState state, p_.nodes.listing(handle.directory));
  if (state.complete) {
    p_.resolver.directory_was_read(handle.directory, state.listed_at, state.entries);
  }
  return {};
}

Result<std::vector<meta::Node>> DirectoryReader::told_of(const DirectoryHandle& handle, const std::string& after) const {
  meta::PlaceSpan span{.behind = meta::place_of(after), .up_to = {}};
  if (handle.listing && !handle.listing->complete) {
    span.up_to = handle.listing->told_up_to;
  }
  std::vector<meta::Node> names;
  for (const meta::PlaceSpan& part : without_substitutes(span)) {
    TRY_ASSIGN(std::vector<meta::Node> more, p_.nodes.children(handle.directory, part, kBatch - names.size()));
    std::ranges::move(more, std::back_inserter(names));
  }
  return names;
}

bool DirectoryReader::is_late(const DirectoryHandle& handle, InodeId entry) {
  return handle.listing && handle.listing->late.contains(entry);
}

Result<std::vector<meta::Node>> DirectoryReader::late_ones(const DirectoryHandle& handle, InodeId last) const {
  std::vector<meta::Node> names;
  if (!handle.listing) {
    return names;
  }
  const std::set<InodeId>& late = handle.listing->late;
  for (auto next = late.upper_bound(last); next != late.end() && names.size() < kBatch; ++next) {
    TRY_ASSIGN(std::optional<meta::Node> node, p_.nodes.get(*next));
    if (node && node->parent == handle.directory) {
      names.push_back(std::move(*node));
    }
  }
  return names;
}

Result<std::string> DirectoryReader::name_of(const DirectoryHandle& handle, InodeId entry) const {
  if (const auto found = handle.given.find(entry); found != handle.given.end()) {
    return found->second;
  }
  const auto node = p_.tree.node(entry);
  if (!node && handle.reopened) {
    // A program that deletes what it reads has deleted this one. From the beginning: it sees no name that is gone, and misses none.
    return std::string();
  }
  return node ? Result<std::string>(node->name) : fail(node.error());
}

}  // namespace prefixfs::vfs
