#pragma once
// Every key has a name: how the parts of keys that cannot be file names are shown. A reversible rule; only what is too long needs a memory.
// The rule in words: src/vfs/SEMANTICS.md, section 1.

#include <optional>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs {

/// Of which sort is what has the name? Some parts of keys are names of one sort only.
enum class Shown {
  any,
  directory,             ///< an empty part: "a//b"
  marker,                ///< what is in the key of a directory itself: "a/" with bytes in it
  file_beside_directory, ///< "a", where there are keys below "a/" too: that directory has the plain name
};

/// The name of a part of a key between two "/" (or before the first, or behind the last), which may be anything but contain a "/". A part that can be
/// a name and does not look like one of the names below is its own. Otherwise the name has at most kNameBytesMax bytes and begins with "@s3-":
///   @s3-empty               an empty part, a directory
///   @s3-content             an empty part at the end, a file
///   @s3-dot, @s3-dotdot     "." and ".."
///   @s3-raw-TEXT            a NUL, or what is not UTF-8; these bytes and "%" are %XX
///   @s3-name-TEXT           TEXT, which looks like such a name
///   @s3-object-NAME         the file beside the directory NAME
///   @s3-long-HASH-TEXT      what would be longer; HASH: 16 digits of its FNV-1a, TEXT: how it begins
std::string shown_name(std::string_view part, Shown as = Shown::any);
/// How those begin, and no other name does.
inline constexpr std::string_view kSubstituteMark = "@s3-";

struct KeyPart {
  std::string part;
  Shown as = Shown::any;
};
/// What has that name: shown_name(part, as) == name. Nothing: the name is a shortened one, of which the part must be remembered.
std::optional<KeyPart> key_part(std::string_view name);

/// Whether the name is a shortened one; then `as` of what has it, and the text with which the part begins as far as it can be told.
struct ShortenedName {
  Shown as = Shown::any;
  std::string begins;
};
std::optional<ShortenedName> shortened_name(std::string_view name);

}  // namespace prefixfs
