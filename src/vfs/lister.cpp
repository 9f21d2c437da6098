#include "lister.h"

#include <algorithm>
#include <functional>

#include "attributes.h"

namespace prefixfs::vfs {
namespace {

std::string_view without_slash(std::string_view text) {
  return text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

}  // namespace

Result<s3::ListPage> Lister::page(const s3::ListOptions& options, const CallContext& context) {
  auto answer = store_.list(options, context);
  // Other refusals (a locked account, a firewall's 403) say nothing of the right.
  const bool refused = !answer && answer.error().code == Errc::denied && answer.error().origin.s3_code == "AccessDenied";
  if (answer && rights_.learn_list(true)) {
    log_.info("the credentials may list again (s3:ListBucket)");
  } else if (refused && rights_.learn_list(false)) {
    log_.warn("the credentials may not list (s3:ListBucket is missing): names are looked up one by one; {}", describe(answer.error()));
  }
  return answer;
}

Result<Lister::Outcome> Lister::list(InodeId directory, std::uint32_t pages_max, const CallContext& context) {
  TRY_ASSIGN(const std::string prefix, tree_.directory_prefix(directory));
  Reading reading{.prefix = prefix, .directory = directory, .began = clock_.now()};
  Outcome& outcome = reading.outcome;
  s3::ListOptions options{.prefix = prefix, .delimiter = "/", .start_after = {}, .continuation_token = {}, .max_keys = 1000};
  for (std::uint32_t pages = 1;; ++pages) {
    TRY_ASSIGN(const s3::ListPage answer, page(options, context));
    std::vector<meta::Node> nodes = nodes_of(answer, reading);
    TRY_ASSIGN(const std::vector<InodeId> changed, nodes_.put_page(directory, nodes));
    std::ranges::for_each(changed, [&](InodeId file) { untold_.add(file); });
    TRY(drop_deleted(nodes, reading.began));
    if (answer.next_token.empty()) {
      TRY(nodes_.finish_listing(directory, reading.began, pages));
      outcome.complete = true;
      return outcome;
    }
    if (pages >= pages_max) {
      return outcome;
    }
    options.continuation_token = answer.next_token;
  }
}

std::vector<meta::Node> Lister::nodes_of(const s3::ListPage& page, Reading& reading) {
  std::vector<meta::Node> nodes;
  nodes.reserve(page.objects.size() + page.common_prefixes.size());
  const auto add = [&](std::string_view part, Shown as, NodeKind kind, const ObjectInfo* info) {
    if (auto node = node_of(part, as, kind, info, reading)) {
      nodes.push_back(std::move(*node));
    }
  };
  const auto part_in = [&](const std::string& key) { return std::string_view(key).substr(reading.prefix.size()); };
  Outcome& outcome = reading.outcome;
  outcome.found_any = outcome.found_any || !page.objects.empty() || !page.common_prefixes.empty();
  std::unordered_set<std::string_view> directories;
  for (const std::string& common : page.common_prefixes) {
    directories.insert(without_slash(part_in(common)));
    add(without_slash(part_in(common)), Shown::any, NodeKind::directory, nullptr);
  }
  // Where "a" and "a/b" both are keys, the directory has the name. It may come some pages later.
  for (const ObjectInfo& object : reading.earlier) {
    if (directories.contains(part_in(object.key.str()))) {
      add(part_in(object.key.str()), Shown::file_beside_directory, NodeKind::file, &object);
    }
  }
  for (const ObjectInfo& object : page.objects) {
    const std::string_view part = part_in(object.key.str());
    if (part.empty()) {
      outcome.marker = object;
    }
    if (!part.empty() || object.size > 0) {
      const Shown beside = directories.contains(part) ? Shown::file_beside_directory : Shown::any;
      add(part, part.empty() ? Shown::marker : beside, NodeKind::file, &object);
    }
  }
  note_earlier(page, reading);
  return nodes;
}

/// Keys below "a/" may still come as long as the listing is before them.
void Lister::note_earlier(const s3::ListPage& page, Reading& reading) {
  const std::string last = std::max(page.objects.empty() ? std::string() : page.objects.back().key.str(),
                                    page.common_prefixes.empty() ? std::string() : page.common_prefixes.back());
  const auto over = [&](const ObjectInfo& object) {
    const std::string& key = object.key.str();
    return key.size() == reading.prefix.size() || last >= key + "/";
  };
  std::erase_if(reading.earlier, over);
  std::ranges::copy_if(page.objects, std::back_inserter(reading.earlier), std::not_fn(over));
}

std::optional<meta::Node> Lister::node_of(std::string_view part, Shown as, NodeKind kind, const ObjectInfo* info, const Reading& reading) {
  if (Tree::is_hidden(reading.directory, part)) {
    return std::nullopt;
  }
  const auto shown = tree_.name_of(part, as);
  if (!shown) {
    log_.warn("key {}{} is not shown: {}", reading.prefix, part, describe(shown.error()));
    return std::nullopt;
  }
  const std::string& name = *shown;
  if (name != part) {
    note_escaped(reading.prefix + std::string(part), name);
  }
  // A name deleted here after the listing began is in this page only because the page is older.
  if (absent_.held(reading.directory, name)) {
    confirm_own(reading.directory, name, info, reading.began);
    return std::nullopt;
  }
  if (absent_.seen(reading.directory, name) >= reading.began) {
    return std::nullopt;
  }
  meta::Node node{.parent = reading.directory, .name = name, .kind = kind, .checked_at = reading.began};
  if (info != nullptr) {
    node.size = info->size;
    node.etag = info->etag;
    node.last_modified = info->last_modified;
    node.storage_class = info->storage_class;
  }
  node.posix = default_attributes(settings_, kind, node.last_modified);
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
