#include "option_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "prefixfs/object/region.h"

namespace prefixfs::config {
namespace {

constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

std::optional<std::uint32_t> parse_number(std::string_view text, int base) {
  std::uint32_t number = 0;
  auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || code != std::errc() || stop != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

bool only(std::string_view text, std::initializer_list<std::string_view> sets) {
  return std::ranges::all_of(text, [&](char letter) {
    return std::ranges::any_of(sets, [&](std::string_view set) { return set.contains(letter); });
  });
}

/// The two lookups of the C library differ in their record only.
template <class Record, class Find, class Id>
Result<std::uint32_t> look_up(const std::string& value, std::string_view kind, Find find, Id id) {
  if (auto number = parse_number(value, 10); number && *number != std::numeric_limits<std::uint32_t>::max()) {
    return *number;
  }
  std::vector<char> buffer(1 << 16);
  Record record{};
  Record* found = nullptr;
  if (find(value.c_str(), &record, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return fail(Errc::invalid, fmt::format("there is no {} \"{}\" on this machine; write its number or another name", kind, value));
  }
  return static_cast<std::uint32_t>(id(*found));
}

}  // namespace

Result<std::string> parse_choice(const std::string& value, std::initializer_list<std::string_view> built,
                                 std::initializer_list<std::string_view> planned) {
  if (std::ranges::find(built, value) != built.end()) {
    return value;
  }
  if (std::ranges::find(planned, value) != planned.end()) {
    return fail(Errc::unsupported, fmt::format("{} is not built yet; what works is {}", value, fmt::join(built, ", ")));
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not one of {}", value, fmt::join(built, ", ")));
}

Result<std::uint32_t> parse_user(const std::string& value) {
  return look_up<passwd>(value, "user", getpwnam_r, [](const passwd& user) { return user.pw_uid; });
}

Result<std::uint32_t> parse_group(const std::string& value) {
  return look_up<group>(value, "group", getgrnam_r, [](const group& entry) { return entry.gr_gid; });
}

Result<std::uint32_t> parse_umask(const std::string& value) {
  if (auto mask = parse_number(value, 8); mask && *mask <= 0777) {
    return *mask;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not an octal mask from 000 to 777", value));
}

Result<std::string> parse_endpoint(const std::string& value) {
  std::string_view host = value;
  for (std::string_view scheme : {"https://", "http://"}) {
    if (host.starts_with(scheme)) {
      host.remove_prefix(scheme.size());
      if (host.ends_with('/')) {
        host.remove_suffix(1);
      }
      if (host.empty() || !only(host, {kLower, kUpper, kDigits, ".-:[]_"})) {
        break;
      }
      return std::string(scheme) + std::string(host);
    }
  }
  return fail(Errc::invalid,
              fmt::format("\"{}\" is not an endpoint; write https://HOST[:PORT] or http://HOST[:PORT] without a path", value));
}

Result<std::string> parse_sse(const std::string& value) {
  constexpr std::string_view kKms = "aws:kms:";
  const bool plain = value == "none" || value == "AES256" || value == "aws:kms" || value == "aws:kms:dsse";
  // A key is an id, an alias or an ARN.
  const bool with_key = value.starts_with(kKms) && value.size() > kKms.size() && only(value, {kLower, kUpper, kDigits, ":/_-"});
  if (plain || with_key) {
    return value;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not one of none, AES256, aws:kms, aws:kms:KEY, aws:kms:dsse", value));
}

Result<std::string> parse_storage_class(const std::string& value) {
  if (!value.empty() && only(value, {kUpper, kDigits, "_"})) {
    return value;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not a storage class; write for example STANDARD_IA or INTELLIGENT_TIERING", value));
}

Result<std::string> parse_region(const std::string& value) {
  if (is_region_name(value)) {
    return value;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not a region; write for example eu-central-1", value));
}

}  // namespace prefixfs::config
