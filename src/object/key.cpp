#include "prefixfs/object/key.h"

#include <fmt/format.h>

#include "prefixfs/base/escape.h"

namespace prefixfs {

Prefix Prefix::from(std::string_view text) {
  // One "/" only: a key may begin with "/", and then the prefix is written with two.
  if (text.starts_with('/')) {
    text.remove_prefix(1);
  }
  Prefix prefix;
  prefix.text_ = text;
  if (!text.empty() && !text.ends_with('/')) {
    prefix.text_ += '/';
  }
  return prefix;
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) {
    return fail(Errc::bad_name, "a name must not be empty");
  }
  if (name.size() > kNameBytesMax) {
    return fail(Errc::name_too_long, fmt::format("a name of {} bytes is longer than {}", name.size(), kNameBytesMax));
  }
  if (name == "." || name == "..") {
    return fail(Errc::bad_name, fmt::format("\"{}\" is not the name of a file", name));
  }
  if (name.find('\0') != std::string_view::npos || name.find('/') != std::string_view::npos) {
    return fail(Errc::bad_name, fmt::format("the name \"{}\" has a NUL or a \"/\" in it", escape_control(name)));
  }
  if (!is_utf8(name)) {
    return fail(Errc::bad_name, "the name is not UTF-8, and so cannot be part of an S3 key");
  }
  return {};
}

}  // namespace prefixfs
