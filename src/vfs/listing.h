#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "page_ahead.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/object/object_info.h"
#include "prefixfs/object/shown_name.h"

namespace prefixfs::vfs {

/// Where the substitute names of object/shown_name.h stand, and no others: keys that S3 lists elsewhere.
meta::PlaceSpan substitutes();
/// What is left of a span without them.
std::vector<meta::PlaceSpan> without_substitutes(const meta::PlaceSpan& span);
inline bool is_substitute(std::string_view name) { return name.starts_with(kSubstituteMark); }

/// A listing of a directory that is under way, page by page. For one thread at a time.
/// As S3 lists in order, each page tells of all names up to where it ends. Of substitute names only the whole listing tells, and of all names on an
/// endpoint that lists in another order.
struct Listing {
  meta::InodeId directory = 0;
  std::string prefix;
  WallTime began{};
  WallTime asked{};  ///< for the last page
  std::uint32_t pages = 0;
  std::uint64_t entries = 0;  ///< of which it has told in order

  std::string next_token;
  std::unique_ptr<PageAhead> ahead;  ///< the page of next_token, perhaps
  bool complete = false;
  std::string told_up_to;        ///< a place (meta::place_of)
  bool in_order = true;
  std::set<meta::InodeId> late;  ///< what came after its place had been told of

  bool found_any = false;  ///< some key exists below the directory, if only its marker
  std::optional<ObjectInfo> marker;
  std::vector<ObjectInfo> earlier;  ///< of former pages, beside which a directory may still come
};

}  // namespace prefixfs::vfs
