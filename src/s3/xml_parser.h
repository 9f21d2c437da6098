#pragma once
// The one door to libxml2: a push SAX parser for answers that nobody vouches for.

#include <functional>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::s3 {

inline constexpr std::size_t kXmlBytesMax = 8U << 20;
inline constexpr std::size_t kXmlTextBytesMax = 64U << 10;  ///< of one element
inline constexpr std::size_t kXmlDepthMax = 16;

/// Paths are the local names below the root, "Contents/Key": servers vary or omit the namespace.
struct XmlCallbacks {
  std::function<void(std::string_view path)> open;
  /// `text`: the character data of an element without children, untrimmed.
  std::function<void(std::string_view path, const std::string& text)> close;
};

/// The local name of the root element. White space before the document is skipped: S3 sends it to keep a connection alive while it
/// works (S3 API, CompleteMultipartUpload). Errors: corrupt (not well-formed, a DOCTYPE, or larger than the limits above).
Result<std::string> parse_xml(std::string_view document, const XmlCallbacks& callbacks);

}  // namespace prefixfs::s3
