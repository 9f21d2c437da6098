#include "range.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

struct Bounds {
  std::optional<std::uint64_t> first, last;
};

std::optional<Bounds> read_bounds(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto before = header.substr(0, dash);
  const auto after = header.substr(dash + 1);
  const Bounds bounds{number(before), number(after)};
  const bool broken = (!before.empty() && !bounds.first) || (!after.empty() && !bounds.last) || (before.empty() && after.empty()) ||
                      (bounds.first && bounds.last && *bounds.first > *bounds.last);
  return broken ? std::nullopt : std::optional(bounds);
}

}  // namespace

Outcome<std::optional<ByteRange>> read_range(std::string_view header, std::uint64_t size) {
  const auto bounds = read_bounds(header);
  if (!bounds) {
    return std::nullopt;
  }
  ByteRange range;
  if (bounds->first) {
    range = {*bounds->first, bounds->last ? std::min(size, *bounds->last + 1) : size};
  } else {
    range = {size - std::min(size, *bounds->last), size};
  }
  if (range.begin >= size || range.empty()) {
    return refuse(S3Error{416, "InvalidRange", "The requested range is not satisfiable",
                          {{"RangeRequested", std::string(header)}, {"ActualObjectSize", std::to_string(size)}},
                          {{"Content-Range", fmt::format("bytes */{}", size)}}});
  }
  return range;
}

Outcome<ByteRange> read_copy_range(std::string_view header, std::uint64_t size) {
  const auto bounds = read_bounds(header);
  if (!bounds || !bounds->first || !bounds->last) {
    return invalid_argument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                            "zero-based offsets of the first and last bytes to copy", "x-amz-copy-source-range", std::string(header));
  }
  if (*bounds->last >= size) {
    return invalid_argument(fmt::format("Range specified is not valid for source object of size: {}", size), "x-amz-copy-source-range",
                            std::string(header));
  }
  return ByteRange{*bounds->first, *bounds->last + 1};
}

}  // namespace prefixfs::devs3
