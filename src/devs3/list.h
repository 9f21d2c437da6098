#pragma once
// Listing as a pure function over the sorted index (S3 API Reference, ListObjectsV2).

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "object.h"

namespace prefixfs::devs3 {

/// In UTF-8 byte order, the order S3 lists in.
using ObjectMap = std::map<std::string, ObjectPtr, std::less<>>;

struct ListQuery {
  std::string prefix;
  std::string delimiter;
  std::string after;  ///< only keys and common prefixes greater than this; a common prefix that it lies in is behind it too
  std::size_t max_keys = 1000;
};

struct ListEntry {
  ObjectPtr object;           ///< null for a common prefix
  std::string common_prefix;  ///< empty for an object
};

struct ListPage {
  std::vector<ListEntry> entries;  ///< both kinds, in their order
  bool truncated = false;
  std::string last;  ///< `after` of the next page
};

/// A page costs its own length times log(all): a common prefix is skipped by one search, however many keys it holds.
ListPage list_page(const ObjectMap& objects, const ListQuery& query);

/// The smallest text greater than every text which begins with `prefix`; empty when there is none.
std::string after_prefix(std::string_view prefix);

}  // namespace prefixfs::devs3
