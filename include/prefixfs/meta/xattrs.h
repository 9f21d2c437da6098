#pragma once
// Extended attributes of users, as records keep them.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace prefixfs::meta {

/// What an object is to have, by names without "user."; no value: it is to have none of that name. What is not named here stays as the object has it.
using Xattrs = std::map<std::string, std::optional<std::string>, std::less<>>;

/// Of a name, as Linux has it without "user."; and of what encode_xattrs() gives.
inline constexpr std::size_t kXattrNameBytesMax = 250;
inline constexpr std::size_t kXattrsBytesMax = 65535;

/// As src/meta/FORMAT.md has it; empty for none.
std::string encode_xattrs(const Xattrs& xattrs);
/// Nothing when it is not what encode_xattrs() gives.
std::optional<Xattrs> decode_xattrs(std::string_view bytes);

}  // namespace prefixfs::meta
