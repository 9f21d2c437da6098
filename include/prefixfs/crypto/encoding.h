#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace prefixfs::crypto {

std::string hex(std::span<const std::uint8_t> bytes);  ///< lower case
std::string base64(std::span<const std::uint8_t> bytes);
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_hex(std::string_view text);

enum class Slash { encode, keep };
/// AWS's UriEncode: A-Z a-z 0-9 - . _ ~ stay, all else becomes %XX in upper case (Signature Version 4 documentation).
std::string uri_encode(std::string_view text, Slash slash);
/// Undoes %XX. Nothing for a broken escape. `plus_is_space` for S3's url-encoded listings.
std::optional<std::string> uri_decode(std::string_view text, bool plus_is_space = false);

}  // namespace prefixfs::crypto
