#pragma once

#include <algorithm>
#include <string_view>

namespace prefixfs {

/// Whether `text` can be the name of a region. It becomes part of host names and of signatures, so settings and servers' answers have to
/// pass. Compatible servers have regions of their own ("garage"), which is why there is no list.
inline bool is_region_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 40 && !text.starts_with('-') && !text.ends_with('-') &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace prefixfs
