#pragma once
// The names in stage/: a number as 16 hex digits.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace prefixfs::stage {

std::string staged_name(std::uint64_t number);
/// Nothing when it is not a name that staged_name() gives. Numbers with the highest bit were never given, so that there is one above each.
std::optional<std::uint64_t> staged_number(std::string_view name);

}  // namespace prefixfs::stage
