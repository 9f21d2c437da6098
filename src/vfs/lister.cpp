#include "lister.h"

#include <algorithm>
#include <functional>

#include "attributes.h"

namespace prefixfs::vfs {
namespace {

std::string_view without_slash(std::string_view text) {
  return text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

// A program has paused meanwhile: then the page is asked for again.
constexpr std::chrono::seconds kAheadKept{10};

s3::ListOptions next_of(const Listing& listing) {
  return {.prefix = listing.prefix, .delimiter = "/", .start_after = {}, .continuation_token = listing.next_token, .max_keys = 1000};
}

std::string last_key(const s3::ListPage& page) {
  return std::max(page.objects.empty() ? std::string() : page.objects.back().key.str(),
                  page.common_prefixes.empty() ? std::string() : page.common_prefixes.back());
}

}  // namespace

Result<s3::ListPage> Lister::page(const s3::ListOptions& options, const CallContext& context) { return noted(store_.list(options, context)); }

/// What an answer tells of the right to list.
Result<s3::ListPage> Lister::noted(Result<s3::ListPage> answer) {
  // Other refusals (a locked account, a firewall's 403) say nothing of the right.
  const bool refused = !answer && answer.error().code == Errc::denied && answer.error().origin.s3_code == "AccessDenied";
  if (answer && rights_.learn_list(true)) {
    log_.info("the credentials may list again (s3:ListBucket)");
  } else if (refused && rights_.learn_list(false)) {
    log_.warn("the credentials may not list (s3:ListBucket is missing): names are looked up one by one; {}", describe(answer.error()));
  }
  return answer;
}

Result<Listing> Lister::begin(InodeId directory) const {
  TRY_ASSIGN(std::string prefix, tree_.directory_prefix(directory));
  Listing listing{.directory = directory, .prefix = std::move(prefix), .began = clock_.now()};
  listing.in_order = !unordered_;
  return listing;
}

Result<Listing> Lister::list(InodeId directory, std::uint32_t pages_max, const CallContext& context) {
  TRY_ASSIGN(Listing listing, begin(directory));
  while (!listing.complete && listing.pages < pages_max) {
    TRY(next_page(listing, context));
  }
  return listing;
}

Result<void> Lister::next_page(Listing& listing, const CallContext& context) {
  TRY_ASSIGN(const s3::ListPage answer, page_of(listing, context));
  TRY_ASSIGN(const std::vector<meta::Node> nodes, record(answer, listing));
  note_earlier(answer, listing);
  note_late(nodes, listing);
  ++listing.pages;
  if (answer.next_token.empty()) {
    TRY(finish(listing));
  } else if (const std::string end = last_key(answer); listing.in_order && !end.empty()) {
    TRY(told_up_to(end.substr(listing.prefix.size()), listing));
  }
  listing.next_token = answer.next_token;
  return {};
}

Result<std::vector<meta::Node>> Lister::record(const s3::ListPage& page, Listing& listing) {
  std::vector<meta::Node> nodes = nodes_of(page, listing);
  TRY(store(listing.directory, nodes, listing.asked));
  return nodes;
}

/// What an answer that was asked for at `asked` tells of names in the directory.
Result<void> Lister::store(InodeId directory, std::vector<meta::Node>& nodes, WallTime asked) {
  TRY_ASSIGN(const std::vector<InodeId> changed, nodes_.put_page(directory, nodes));
  std::ranges::for_each(changed, [&](InodeId file) { untold_.add(file); });
  return drop_deleted(nodes, asked);
}

Result<void> Lister::confirm_behind(InodeId directory, std::string_view name, const CallContext& context) {
  TRY_ASSIGN(Listing listing, begin(directory));
  TRY_ASSIGN(const KeyPart own, tree_.part_of(name));
  listing.asked = clock_.now();
  s3::ListOptions options = next_of(listing);
  options.start_after = listing.prefix + own.part;
  TRY_ASSIGN(const s3::ListPage answer, page(options, context));
  TRY(record(answer, listing));
  return {};
}

void Lister::ask_ahead(Listing& listing) { listing.ahead = std::make_unique<PageAhead>(store_, next_of(listing), clock_.now()); }

Result<s3::ListPage> Lister::page_of(Listing& listing, const CallContext& context) {
  if (listing.ahead != nullptr && clock_.now() - listing.ahead->asked() > kAheadKept) {
    listing.ahead.reset();
  }
  if (listing.ahead == nullptr) {
    listing.asked = clock_.now();
    return page(next_of(listing), context);
  }
  auto answer = listing.ahead->take(context);
  if (!answer && answer.error().code == Errc::cancelled) {
    return answer;  // it is still on its way
  }
  listing.asked = listing.ahead->asked();
  listing.ahead.reset();
  return noted(std::move(answer));
}

Result<void> Lister::told_up_to(std::string place, Listing& listing) {
  if (place > listing.told_up_to) {
    TRY(drop_unlisted({.behind = listing.told_up_to, .up_to = place}, listing));
    listing.told_up_to = std::move(place);
  }
  return {};
}

Result<void> Lister::finish(Listing& listing) {
  if (!listing.in_order) {
    listing.entries = 0;
  }
  TRY(drop_unlisted({.behind = listing.in_order ? listing.told_up_to : std::string(), .up_to = {}}, listing));
  TRY_ASSIGN(const std::uint64_t substitutes, nodes_.drop_unlisted(listing.directory, substitutes(), listing.began));
  listing.entries += substitutes;
  TRY(nodes_.put_listing(listing.directory,
                         {.listed_at = listing.began, .complete = true, .entries = listing.entries, .pages = listing.pages}));
  listing.complete = true;
  return {};
}

/// But for substitute names, which only the whole listing tells of.
Result<void> Lister::drop_unlisted(const meta::PlaceSpan& span, Listing& listing) {
  for (const meta::PlaceSpan& part : without_substitutes(span)) {
    TRY_ASSIGN(const std::uint64_t confirmed, nodes_.drop_unlisted(listing.directory, part, listing.began));
    listing.entries += confirmed;
  }
  return {};
}

/// A program may have read past the place of such a name already.
void Lister::note_late(const std::vector<meta::Node>& nodes, Listing& listing) {
  for (const meta::Node& node : nodes) {
    if (!is_substitute(node.name) && meta::place_of(node.name) < listing.told_up_to) {
      listing.in_order = false;
      listing.late.insert(node.id);
    }
  }
  if (!listing.late.empty() && !unordered_.exchange(true)) {
    log_.warn("the endpoint does not list in the order of the keys: the names of a large directory are given only when all of them are known");
  }
}

std::vector<meta::Node> Lister::nodes_of(const s3::ListPage& page, Listing& listing) {
  std::vector<meta::Node> nodes;
  nodes.reserve(page.objects.size() + page.common_prefixes.size());
  const auto add = [&](std::string_view part, Shown as, const Told& told) {
    if (auto node = node_of(part, as, told, listing)) {
      nodes.push_back(std::move(*node));
    }
  };
  const auto part_in = [&](const std::string& key) { return std::string_view(key).substr(listing.prefix.size()); };
  listing.found_any = listing.found_any || !page.objects.empty() || !page.common_prefixes.empty();
  std::unordered_set<std::string_view> directories;
  for (const std::string& common : page.common_prefixes) {
    directories.insert(without_slash(part_in(common)));
    add(without_slash(part_in(common)), Shown::any, {.kind = NodeKind::directory, .object = nullptr, .seen = listing.asked});
  }
  // Where "a" and "a/b" both are keys, the directory has the name. It may come some pages later.
  for (const ObjectInfo& object : listing.earlier) {
    if (directories.contains(part_in(object.key.str()))) {
      add(part_in(object.key.str()), Shown::file_beside_directory, {.kind = NodeKind::file, .object = &object, .seen = listing.began});
    }
  }
  for (const ObjectInfo& object : page.objects) {
    const std::string_view part = part_in(object.key.str());
    if (part.empty()) {
      listing.marker = object;
    }
    if (!part.empty() || object.size > 0) {
      const Shown beside = directories.contains(part) ? Shown::file_beside_directory : Shown::any;
      add(part, part.empty() ? Shown::marker : beside, {.kind = NodeKind::file, .object = &object, .seen = listing.asked});
    }
  }
  return nodes;
}

/// Keys below "a/" may still come as long as the listing is before them.
void Lister::note_earlier(const s3::ListPage& page, Listing& listing) {
  const std::string last = last_key(page);
  const auto over = [&](const ObjectInfo& object) {
    const std::string& key = object.key.str();
    return key.size() == listing.prefix.size() || last >= key + "/";
  };
  std::erase_if(listing.earlier, over);
  std::ranges::copy_if(page.objects, std::back_inserter(listing.earlier), std::not_fn(over));
}

std::optional<meta::Node> Lister::node_of(std::string_view part, Shown as, const Told& told, const Listing& listing) {
  if (Tree::is_hidden(listing.directory, part)) {
    return std::nullopt;
  }
  const auto shown = tree_.name_of(part, as);
  if (!shown) {
    log_.warn("key {}{} is not shown: {}", listing.prefix, part, describe(shown.error()));
    return std::nullopt;
  }
  const std::string& name = *shown;
  if (name != part) {
    note_escaped(listing.prefix + std::string(part), name);
  }
  // A name deleted here after the listing began is in this page only because the page is older.
  if (absent_.held(listing.directory, name)) {
    confirm_own(listing.directory, name, told.object, told.seen);
    return std::nullopt;
  }
  if (absent_.seen(listing.directory, name) >= told.seen) {
    return std::nullopt;
  }
  meta::Node node{.parent = listing.directory, .name = name, .kind = told.kind, .checked_at = told.seen};
  if (told.object != nullptr) {
    node.size = told.object->size;
    node.etag = told.object->etag;
    node.last_modified = told.object->last_modified;
    node.storage_class = told.object->storage_class;
  }
  node.posix = default_attributes(settings_, told.kind, node.last_modified);
  return node;
}

/// What a removal or a rename that is owed has left in S3 is not shown. A file that was made here under that name since is in S3 by its own right.
void Lister::confirm_own(InodeId directory, std::string_view name, const ObjectInfo* info, WallTime began) {
  const auto own = nodes_.find(directory, name);
  if (info == nullptr || !own || !*own || (*own)->local || (*own)->etag != info->etag || (*own)->checked_at >= began) {
    return;
  }
  meta::Node confirmed = **own;
  confirmed.checked_at = began;
  if (const auto known = nodes_.put_if_unchanged(**own, std::move(confirmed)); !known) {
    log_.warn("the metadata cache did not take {}: {}", name, describe(known.error()));
  }
}

/// A name may have been deleted here between the look at `absent_` and the writing of the page.
Result<void> Lister::drop_deleted(const std::vector<meta::Node>& page, WallTime began) {
  for (const meta::Node& node : page) {
    if (absent_.seen(node.parent, node.name) < began && !absent_.held(node.parent, node.name)) {
      continue;
    }
    TRY_ASSIGN(const std::optional<meta::Node> now, nodes_.find(node.parent, node.name));
    if (now && *now == node) {
      TRY(nodes_.erase(node.parent, node.name));
    }
  }
  return {};
}

Result<Lister::NameOutcome> Lister::look_for(InodeId directory, std::string_view name, const CallContext& context) {
  TRY_ASSIGN(const std::string prefix, tree_.directory_prefix(directory));
  auto own = tree_.part_of(name);
  if (!own && own.error().code == Errc::not_found) {
    TRY(remember_shortened(prefix, name, context));
    own = tree_.part_of(name);
    if (!own && own.error().code == Errc::not_found) {
      return NameOutcome{};
    }
  }
  if (!own) {
    return fail(own.error());
  }
  const std::string key = prefix + own->part;
  // `name` comes first of all keys that begin with it, but `name-1` and `name.x` stand between it and `name/`.
  TRY_ASSIGN(const s3::ListPage answer,
             page({.prefix = key, .delimiter = "/", .start_after = {}, .continuation_token = {}, .max_keys = 100}, context));
  NameOutcome outcome;
  for (const ObjectInfo& object : answer.objects) {
    if (object.key.str() == key && own->as != Shown::directory) {
      outcome.object = object;
    }
  }
  if (own->as == Shown::marker || own->as == Shown::file_beside_directory) {
    return outcome;
  }
  outcome.directory = std::ranges::find(answer.common_prefixes, key + "/") != answer.common_prefixes.end();
  const bool passed_slash = answer.next_token.empty() || (!answer.objects.empty() && answer.objects.back().key.str() > key + "/");
  if (!outcome.directory && !passed_slash) {
    TRY_ASSIGN(const BelowOutcome below, look_below(key + "/", context));
    outcome.directory = below.marker.has_value() || below.others;
  }
  return outcome;
}

/// A shortened name says how the key begins.
Result<void> Lister::remember_shortened(const std::string& prefix, std::string_view name, const CallContext& context) {
  constexpr int kPagesMax = 3;
  const auto shortened = shortened_name(name);
  s3::ListOptions options{.prefix = prefix + (shortened ? shortened->begins : std::string(name)), .delimiter = "/", .start_after = {}, .continuation_token = {},
                          .max_keys = 1000};
  for (int pages = 0; pages < kPagesMax; ++pages) {
    TRY_ASSIGN(const s3::ListPage answer, page(options, context));
    const auto remember = [&](std::string_view key) -> Result<void> {
      const std::string_view part = without_slash(key.substr(prefix.size()));
      const bool mine = shortened && shown_name(part, shortened->as) == name;
      return mine ? nodes_.remember_part(name, part) : Result<void>();
    };
    for (const ObjectInfo& object : answer.objects) {
      TRY(remember(object.key.str()));
    }
    for (const std::string& common : answer.common_prefixes) {
      TRY(remember(common));
    }
    options.continuation_token = answer.next_token;
    if (answer.next_token.empty()) {
      break;
    }
  }
  return {};
}

Result<Lister::BelowOutcome> Lister::look_below(const std::string& directory_prefix, const CallContext& context) {
  TRY_ASSIGN(const s3::ListPage answer,
             page({.prefix = directory_prefix, .delimiter = "", .start_after = {}, .continuation_token = {}, .max_keys = 2}, context));
  BelowOutcome outcome;
  for (const ObjectInfo& object : answer.objects) {
    if (object.key.str() == directory_prefix) {
      outcome.marker = object;
      outcome.others = outcome.others || object.size > 0;  // a file of its own
    } else {
      outcome.others = true;
    }
  }
  return outcome;
}

void Lister::note_escaped(const std::string& key, const std::string& name) {
  const std::lock_guard lock(escaped_mutex_);
  if (escaped_.size() == kEscapedMax || !escaped_.insert(key).second) {
    return;
  }
  if (escaped_.size() <= kEscapedLogged) {
    log_.warn("key {} cannot be a file name, and is shown as {}{}", key, name,
              escaped_.size() == kEscapedLogged ? "; further ones are not logged, but counted" : "");
  }
}

std::uint64_t Lister::escaped() const {
  const std::lock_guard lock(escaped_mutex_);
  return escaped_.size();
}

}  // namespace prefixfs::vfs
