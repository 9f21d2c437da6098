#include "listing.h"

#include <algorithm>

namespace prefixfs::vfs {

meta::PlaceSpan substitutes() {
  std::string behind(kSubstituteMark);
  behind.back() = static_cast<char>(behind.back() + 1);
  return {.behind = std::string(kSubstituteMark), .up_to = std::move(behind)};
}

std::vector<meta::PlaceSpan> without_substitutes(const meta::PlaceSpan& span) {
  const meta::PlaceSpan hole = substitutes();
  std::vector<meta::PlaceSpan> parts;
  if (span.behind < hole.behind) {
    parts.push_back({.behind = span.behind, .up_to = std::min(span.up_to.value_or(hole.behind), hole.behind)});
  }
  if (!span.up_to || *span.up_to > *hole.up_to) {
    parts.push_back({.behind = std::max(span.behind, *hole.up_to), .up_to = span.up_to});
  }
  return parts;
}

}  // namespace prefixfs::vfs
