#include "staged_name.h"

#include <fmt/format.h>

#include <charconv>

namespace prefixfs::stage {

namespace {

constexpr std::uint64_t kNumberMax = (1ULL << 63) - 1;

}  // namespace

std::string staged_name(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::optional<std::uint64_t> staged_number(std::string_view name) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (parsed.ec != std::errc() || number > kNumberMax || staged_name(number) != name) {
    return std::nullopt;
  }
  return number;
}

}  // namespace prefixfs::stage
