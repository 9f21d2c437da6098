#pragma once

#include <string>
#include <string_view>

namespace prefixfs {

/// An opaque version token, kept without the quotes it has on the wire. Never used as a hash of the content:
/// for multipart and KMS objects it is none.
class ETag {
 public:
  ETag() = default;
  /// Accepts "abc", "\"abc\"" and "&quot;abc&quot;".
  static ETag from_wire(std::string_view text);
  /// With quotes, for If-Match and If-None-Match.
  std::string quoted() const { return '"' + text_ + '"'; }
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend bool operator==(const ETag&, const ETag&) = default;

 private:
  std::string text_;
};

}  // namespace prefixfs
