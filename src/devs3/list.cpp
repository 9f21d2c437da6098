#include "list.h"

namespace prefixfs::devs3 {
namespace {

/// The common prefix `key` falls under; empty when it is listed as itself.
std::string_view common_prefix_of(std::string_view key, const ListQuery& query) {
  if (query.delimiter.empty()) {
    return {};
  }
  const auto found = key.find(query.delimiter, query.prefix.size());
  return found == std::string_view::npos ? std::string_view{} : key.substr(0, found + query.delimiter.size());
}

ObjectMap::const_iterator skip_prefix(const ObjectMap& objects, std::string_view prefix) {
  const auto next = after_prefix(prefix);
  return next.empty() ? objects.end() : objects.lower_bound(next);
}

ObjectMap::const_iterator first_entry(const ObjectMap& objects, const ListQuery& query) {
  if (query.after < query.prefix) {
    return objects.lower_bound(query.prefix);
  }
  if (query.after.starts_with(query.prefix)) {
    if (const auto common = common_prefix_of(query.after, query); !common.empty()) {
      return skip_prefix(objects, common);
    }
  }
  return objects.upper_bound(query.after);
}

}  // namespace

std::string after_prefix(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xff) {
    next.pop_back();
  }
  if (!next.empty()) {
    next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  }
  return next;
}

ListPage list_page(const ObjectMap& objects, const ListQuery& query) {
  ListPage page;
  if (query.max_keys == 0) {
    return page;
  }
  auto it = query.after.empty() ? objects.lower_bound(query.prefix) : first_entry(objects, query);
  while (it != objects.end() && it->first.starts_with(query.prefix)) {
    if (page.entries.size() == query.max_keys) {
      page.truncated = true;
      break;
    }
    const auto common = common_prefix_of(it->first, query);
    if (common.empty()) {
      page.entries.push_back({it->second, {}});
      page.last = it->first;
      ++it;
    } else {
      page.entries.push_back({nullptr, std::string(common)});
      page.last = common;
      it = skip_prefix(objects, page.last);
    }
  }
  return page;
}

}  // namespace prefixfs::devs3
