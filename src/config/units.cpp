// Sizes and durations as people write them.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "prefixfs/config/options.h"

namespace prefixfs::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Longest first: "iB" must be taken off before "B" could be.
constexpr std::array kSizeUnits{
    Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20}, Unit{"GiB", 1ULL << 30}, Unit{"TiB", 1ULL << 40}, Unit{"PiB", 1ULL << 50},
    Unit{"K", 1ULL << 10},   Unit{"M", 1ULL << 20},   Unit{"G", 1ULL << 30},   Unit{"T", 1ULL << 40},   Unit{"P", 1ULL << 50},
    Unit{"k", 1ULL << 10},   Unit{"m", 1ULL << 20},   Unit{"g", 1ULL << 30},   Unit{"t", 1ULL << 40},   Unit{"p", 1ULL << 50},
    Unit{"B", 1}};

constexpr std::array kTimeUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60 * 1000}, Unit{"h", 3600 * 1000}};

/// Takes the unit off the end of `text`; `fallback` where there is none.
std::uint64_t take_unit(std::string_view& text, std::span<const Unit> units, std::uint64_t fallback) {
  for (const Unit& unit : units) {
    if (text.ends_with(unit.name)) {
      text.remove_suffix(unit.name.size());
      return unit.factor;
    }
  }
  return fallback;
}

/// number * factor; nothing when it is not a plain decimal number, or too large. Whole numbers stay exact.
std::optional<std::uint64_t> multiply(std::string_view number, std::uint64_t factor) {
  const char* end = number.data() + number.size();
  std::uint64_t whole = 0;
  if (auto [stop, code] = std::from_chars(number.data(), end, whole); code == std::errc() && stop == end) {
    if (whole > std::numeric_limits<std::int64_t>::max() / factor) {
      return std::nullopt;
    }
    return whole * factor;
  }
  if (number.find_first_not_of("0123456789.") != std::string_view::npos) {
    return std::nullopt;
  }
  double fraction = 0;
  auto [stop, code] = std::from_chars(number.data(), end, fraction, std::chars_format::fixed);
  const double product = std::round(fraction * static_cast<double>(factor));
  if (code != std::errc() || stop != end || product >= 9e18) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(product);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view number = text;
  const std::uint64_t factor = take_unit(number, kSizeUnits, 1);
  if (auto bytes = multiply(number, factor)) {
    return *bytes;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not a size; write for example 1024, 8M or 1.5GiB", text));
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::string_view number = text;
  const std::uint64_t factor = take_unit(number, kTimeUnits, 1000);
  constexpr std::uint64_t kYear = 366ULL * 24 * 3600 * 1000;  // what is added to a clock must not overflow it
  if (auto count = multiply(number, factor); count && *count <= kYear) {
    return std::chrono::milliseconds(*count);
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not a duration of at most a year; write for example 10, 500ms, 10s, 5m or 2h", text));
}

}  // namespace prefixfs::config
