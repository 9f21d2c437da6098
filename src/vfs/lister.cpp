#include "lister.h"

#include <algorithm>

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
  const WallTime began = clock_.now();
  Outcome outcome;
  s3::ListOptions options{.prefix = prefix, .delimiter = "/", .start_after = {}, .continuation_token = {}, .max_keys = 1000};
  for (std::uint32_t pages = 1;; ++pages) {
    TRY_ASSIGN(const s3::ListPage answer, page(options, context));
    std::vector<meta::Node> nodes = nodes_of(answer, prefix, directory, began, outcome);
    TRY_ASSIGN(const std::vector<InodeId> changed, nodes_.put_page(directory, nodes));
    std::ranges::for_each(changed, [&](InodeId file) { untold_.add(file); });
    TRY(drop_deleted(nodes, began));
    if (answer.next_token.empty()) {
      TRY(nodes_.finish_listing(directory, began, pages));
      outcome.complete = true;
      return outcome;
    }
    if (pages >= pages_max) {
      return outcome;
    }
    options.continuation_token = answer.next_token;
  }
}

std::vector<meta::Node> Lister::nodes_of(const s3::ListPage& page, const std::string& prefix, InodeId directory, WallTime began,
                                         Outcome& outcome) {
  std::vector<meta::Node> nodes;
  nodes.reserve(page.objects.size() + page.common_prefixes.size());
  const auto add = [&](std::string_view name, NodeKind kind, const ObjectInfo* info) {
    // A name deleted here after the listing began is in this page only because the page is older.
    if (!check_name(name)) {
      note_unshowable(prefix + std::string(name));
      return;
    }
    if (absent_.held(directory, name)) {
      confirm_own(directory, name, info, began);
      return;
    }
    if (absent_.seen(directory, name) >= began) {
      return;
    }
    meta::Node node{.parent = directory, .name = std::string(name), .kind = kind, .checked_at = began};
    if (info != nullptr) {
      node.size = info->size;
      node.etag = info->etag;
      node.last_modified = info->last_modified;
      node.storage_class = info->storage_class;
    }
    node.posix = default_attributes(settings_, kind, node.last_modified);
    nodes.push_back(std::move(node));
  };
  outcome.found_any = outcome.found_any || !page.objects.empty() || !page.common_prefixes.empty();
  for (const ObjectInfo& object : page.objects) {
    const std::string_view name = std::string_view(object.key.str()).substr(prefix.size());
    if (name.empty()) {
      outcome.marker = object;
    } else {
      add(name, NodeKind::file, &object);
    }
  }
  // Where `a` and `a/b` both are objects, the directory is shown: it comes later, and takes the name.
  for (const std::string& common : page.common_prefixes) {
    const std::string_view name = without_slash(std::string_view(common).substr(prefix.size()));
    std::erase_if(nodes, [&](const meta::Node& node) { return node.kind == NodeKind::file && node.name == name; });
    add(name, NodeKind::directory, nullptr);
  }
  return nodes;
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
  const std::string key = prefix + std::string(name);
  // `name` comes first of all keys that begin with it, but `name-1` and `name.x` stand between it and `name/`.
  TRY_ASSIGN(const s3::ListPage answer,
             page({.prefix = key, .delimiter = "/", .start_after = {}, .continuation_token = {}, .max_keys = 100}, context));
  NameOutcome outcome;
  for (const ObjectInfo& object : answer.objects) {
    if (object.key.str() == key) {
      outcome.object = object;
    }
  }
  outcome.directory = std::ranges::find(answer.common_prefixes, key + "/") != answer.common_prefixes.end();
  const bool passed_slash = answer.next_token.empty() || (!answer.objects.empty() && answer.objects.back().key.str() > key + "/");
  if (!outcome.directory && !passed_slash) {
    TRY_ASSIGN(const BelowOutcome below, look_below(key + "/", context));
    outcome.directory = below.marker.has_value() || below.others;
  }
  return outcome;
}

Result<Lister::BelowOutcome> Lister::look_below(const std::string& directory_prefix, const CallContext& context) {
  TRY_ASSIGN(const s3::ListPage answer,
             page({.prefix = directory_prefix, .delimiter = "", .start_after = {}, .continuation_token = {}, .max_keys = 2}, context));
  BelowOutcome outcome;
  for (const ObjectInfo& object : answer.objects) {
    if (object.key.str() == directory_prefix) {
      outcome.marker = object;
    } else {
      outcome.others = true;
    }
  }
  return outcome;
}

void Lister::note_unshowable(const std::string& key) {
  const std::uint64_t count = ++unshowable_;
  if (count == 1 || count % 1000 == 0) {
    log_.warn("key {} cannot be a file name and is not shown ({} such keys so far)", key, count);
  }
}

}  // namespace prefixfs::vfs
