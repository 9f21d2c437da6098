#include "attributes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

namespace prefixfs::vfs {
namespace {

constexpr std::uint32_t kPermissionBits = 07777;
constexpr std::uint32_t kFileType = 0100000;
constexpr std::uint32_t kDirectoryType = 0040000;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

// Every name that a dialect uses for what we store; a rewrite replaces all of them, so that two dialects never disagree.
constexpr std::array<std::string_view, 9> kKnownNames = {"file-permissions", "file-owner", "file-group", "file-mtime", "mode",
                                                         "uid", "gid", "mtime", "s3cmd-attrs"};

std::optional<std::string_view> value_of(const UserMetadata& metadata, std::string_view name) {
  const auto found = metadata.find(name);
  return found == metadata.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// s3fs writes st_mode in decimal (33188), rclone in octal (100644): a text of octal digits beginning with a file type of
/// six digits is rclone's.
std::optional<std::uint32_t> parse_mode_of_two_dialects(std::string_view text) {
  const bool octal_digits = text.find_first_not_of("01234567") == std::string_view::npos;
  if (octal_digits && (text.size() >= 6 || text.size() <= 4)) {
    return parse_number<std::uint32_t>(text, 8);
  }
  if (text.size() == 5 && octal_digits && text.starts_with("40")) {  // a directory of rclone's
    return parse_number<std::uint32_t>(text, 8);
  }
  return parse_number<std::uint32_t>(text, 10);
}

/// "1595002920", "1595002920.123456789", "1595002920123ms", "1595002920123456789ns", or the last two without their unit.
std::optional<std::int64_t> parse_time(std::string_view text) {
  std::int64_t unit = 0;
  if (text.ends_with("ns")) {
    unit = 1;
    text.remove_suffix(2);
  } else if (text.ends_with("ms")) {
    unit = 1'000'000;
    text.remove_suffix(2);
  } else if (text.ends_with("s")) {
    unit = kNanosecondsPerSecond;
    text.remove_suffix(1);
  }
  const auto dot = text.find('.');
  const auto whole = parse_number<std::int64_t>(text.substr(0, dot));
  if (!whole) {
    return std::nullopt;
  }
  if (unit == 0) {
    const std::int64_t magnitude = *whole < 0 ? -*whole : *whole;
    unit = magnitude > 10'000'000'000'000'000 ? 1 : magnitude > 100'000'000'000 ? 1'000'000 : kNanosecondsPerSecond;
  }
  std::int64_t nanoseconds = 0;
  if (__builtin_mul_overflow(*whole, unit, &nanoseconds)) {
    return std::nullopt;
  }
  if (dot != std::string_view::npos && unit == kNanosecondsPerSecond) {
    std::string fraction(text.substr(dot + 1, 9));
    fraction.resize(9, '0');
    nanoseconds += parse_number<std::int64_t>(fraction).value_or(0);
  }
  return nanoseconds;
}

/// "uid:0/gid:0/mode:33188/mtime:1595002920": s3cmd's one header.
std::optional<std::string_view> s3cmd_field(std::string_view attributes, std::string_view name) {
  while (!attributes.empty()) {
    const auto slash = attributes.find('/');
    const auto field = attributes.substr(0, slash);
    if (field.size() > name.size() && field.starts_with(name) && field[name.size()] == ':') {
      return field.substr(name.size() + 1);
    }
    if (slash == std::string_view::npos) {
      break;
    }
    attributes.remove_prefix(slash + 1);
  }
  return std::nullopt;
}

/// The text of a field, from the first dialect that has it.
std::optional<std::string_view> field_of(const UserMetadata& metadata, std::string_view aws, std::string_view common) {
  if (const auto value = value_of(metadata, aws)) {
    return value;
  }
  if (const auto value = value_of(metadata, common)) {
    return value;
  }
  const auto s3cmd = value_of(metadata, "s3cmd-attrs");
  return s3cmd ? s3cmd_field(*s3cmd, common) : std::nullopt;
}

}  // namespace

PosixAttributes default_attributes(const Settings& settings, NodeKind kind, WallTime last_modified) {
  return {.mode = kind == NodeKind::directory ? settings.directory_mode : settings.file_mode,
          .uid = settings.uid,
          .gid = settings.gid,
          .mtime_ns = last_modified.time_since_epoch().count()};
}

PosixAttributes attributes_from(const ObjectInfo& info, const Settings& settings, NodeKind kind) {
  PosixAttributes posix = default_attributes(settings, kind, info.last_modified);
  if (settings.dialect == MetadataDialect::off) {
    return posix;
  }
  const UserMetadata& metadata = info.user_metadata;
  std::optional<std::uint32_t> mode;
  if (const auto aws = value_of(metadata, "file-permissions")) {
    mode = parse_number<std::uint32_t>(*aws, 8);
  } else if (const auto common = field_of(metadata, "file-permissions", "mode")) {
    mode = parse_mode_of_two_dialects(*common);
  }
  if (mode) {
    posix.mode = *mode & kPermissionBits;
  }
  if (const auto text = field_of(metadata, "file-owner", "uid")) {
    posix.uid = parse_number<std::uint32_t>(*text).value_or(posix.uid);
  }
  if (const auto text = field_of(metadata, "file-group", "gid")) {
    posix.gid = parse_number<std::uint32_t>(*text).value_or(posix.gid);
  }
  if (const auto text = field_of(metadata, "file-mtime", "mtime")) {
    posix.mtime_ns = parse_time(*text).value_or(posix.mtime_ns);
  }
  return posix;
}

void put_attributes(UserMetadata& metadata, const PosixAttributes& posix, const Settings& settings, NodeKind kind) {
  if (settings.dialect == MetadataDialect::off) {
    return;
  }
  for (const std::string_view name : kKnownNames) {
    if (const auto found = metadata.find(name); found != metadata.end()) {
      metadata.erase(found);
    }
  }
  const PosixAttributes defaults = default_attributes(settings, kind, WallTime{});
  const std::uint32_t mode = posix.mode | (kind == NodeKind::directory ? kDirectoryType : kFileType);
  const bool owned = posix.uid != defaults.uid || posix.gid != defaults.gid;
  const bool permitted = posix.mode != defaults.mode;
  if (settings.dialect == MetadataDialect::s3fs) {
    // s3fs takes a missing mode for "no permissions", so it gets all of them always.
    metadata["mode"] = fmt::format("{}", mode);
    metadata["uid"] = fmt::format("{}", posix.uid);
    metadata["gid"] = fmt::format("{}", posix.gid);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(posix.mtime_ns)).count();
    metadata["mtime"] = fmt::format("{}.{:09}", seconds, posix.mtime_ns - seconds * kNanosecondsPerSecond);
    return;
  }
  if (permitted) {
    metadata["file-permissions"] = fmt::format("{:07o}", mode);
  }
  if (owned) {
    metadata["file-owner"] = fmt::format("{}", posix.uid);
    metadata["file-group"] = fmt::format("{}", posix.gid);
  }
  metadata["file-mtime"] = fmt::format("{}ns", posix.mtime_ns);
}

void apply(const SetAttributes& changes, PosixAttributes& posix) {
  posix.mode = changes.mode ? *changes.mode & 07777 : posix.mode;
  posix.uid = changes.uid.value_or(posix.uid);
  posix.gid = changes.gid.value_or(posix.gid);
  posix.mtime_ns = changes.mtime_ns.value_or(posix.mtime_ns);
}

}  // namespace prefixfs::vfs
