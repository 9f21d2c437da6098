#include "prefixfs/object/etag.h"

#include <algorithm>

namespace prefixfs {
namespace {

bool strip_around(std::string_view& text, std::string_view mark) {
  if (text.size() < 2 * mark.size() || !text.starts_with(mark) || !text.ends_with(mark)) {
    return false;
  }
  text.remove_prefix(mark.size());
  text.remove_suffix(mark.size());
  return true;
}

}  // namespace

// A weak tag (W/"abc") stays as it is: S3 sends none, and If-Match must never hold for one (RFC 9110, 13.1.1).
ETag ETag::from_wire(std::string_view text) {
  // Some servers write &quot; in XML twice escaped, so that it is still there after the parser.
  if (!strip_around(text, "\"")) {
    strip_around(text, "&quot;");
  }
  // A control character is in no tag, and would break the header line that the tag is sent in.
  const bool printable = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  ETag tag;
  if (printable) {
    tag.text_ = text;
  }
  return tag;
}

}  // namespace prefixfs
