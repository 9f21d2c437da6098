#pragma once
// Keys of a bucket, and how names under the mount become keys (S3 User Guide, "Naming Amazon S3 objects").

#include <compare>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs {

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kNameBytesMax = 255;

/// A whole key in the bucket, unencoded. A type of its own, so that it cannot be taken for a path or a prefix.
class Key {
 public:
  Key() = default;
  explicit Key(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Key&, const Key&) = default;
  friend bool operator==(const Key&, const Key&) = default;

 private:
  std::string text_;
};

/// The key prefix that a mount shows: "" (the whole bucket) or a text which ends in "/".
class Prefix {
 public:
  Prefix() = default;
  /// Adds the missing "/" at the end; a leading "/" is taken away.
  static Prefix from(std::string_view text);
  const std::string& str() const { return text_; }
  friend bool operator==(const Prefix&, const Prefix&) = default;

 private:
  std::string text_;
};

/// Whether `name` can be one component of a key under the mount.
/// Errors: name_too_long (over 255 bytes), bad_name (not UTF-8, or a NUL, "/" , "." or ".." or empty).
Result<void> check_name(std::string_view name);

bool is_utf8(std::string_view text);

}  // namespace prefixfs
