#include "attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

#include "metadata_names.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"
#include "s3fs_xattrs.h"
#include "user_xattrs.h"

namespace prefixfs::vfs {
namespace {

constexpr std::uint32_t kPermissionBits = 07777;
constexpr std::uint32_t kTypeBits = 0170000;
constexpr std::uint32_t kModeMax = 0177777;
constexpr std::uint32_t kNobody = ~0U;  // -1, which chown takes for "no change", and the kernel for an owner that cannot be
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

/// As in st_mode.
constexpr std::array<std::pair<std::uint32_t, NodeKind>, 7> kTypes{{{0100000, NodeKind::file},
                                                                    {0040000, NodeKind::directory},
                                                                    {0120000, NodeKind::symlink},
                                                                    {0010000, NodeKind::fifo},
                                                                    {0140000, NodeKind::socket},
                                                                    {0020000, NodeKind::character_device},
                                                                    {0060000, NodeKind::block_device}}};

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
/// six digits is rclone's. A bare mode is octal, but for two things of s3fs's: of an empty object 4516 is that of a fifo (as 4755 is a
/// set-id bit in octal), and of a directory's marker 457 is what its mkdir writes, 0711 without the type.
std::optional<std::uint32_t> parse_mode_of_two_dialects(std::string_view text, bool empty, bool marker) {
  const bool octal_digits = text.find_first_not_of("01234567") == std::string_view::npos;
  const bool bare = text.size() <= 4;
  const bool fifo = !marker && empty && text.size() == 4 && text[0] >= '4';
  const bool made_directory = marker && bare && !text.starts_with('0');
  if (octal_digits && !fifo && !made_directory && (text.size() >= 6 || bare)) {
    return parse_number<std::uint32_t>(text, 8);
  }
  if (text.size() == 5 && octal_digits && text.starts_with("40")) {  // a directory of rclone's
    return parse_number<std::uint32_t>(text, 8);
  }
  return parse_number<std::uint32_t>(text, 10);
}

/// "2020-09-13T14:26:40.5+02:00" or "2020-09-13T12:26:40.5Z": RFC 3339.
std::optional<std::int64_t> parse_date(std::string_view text) {
  constexpr std::size_t kZoneSize = 6;
  std::string utc(text);
  std::chrono::minutes east{0};
  if (text.size() > kZoneSize && text[text.size() - 3] == ':' && !text.ends_with('Z')) {
    const std::string_view zone = text.substr(text.size() - kZoneSize);
    const auto hours = parse_number<unsigned>(zone.substr(1, 2));
    const auto minutes = parse_number<unsigned>(zone.substr(4, 2));
    if ((zone[0] != '+' && zone[0] != '-') || !hours || !minutes) {
      return std::nullopt;
    }
    east = (std::chrono::hours(*hours) + std::chrono::minutes(*minutes)) * (zone[0] == '-' ? -1 : 1);
    utc.resize(text.size() - kZoneSize);
    utc.push_back('Z');
  }
  const auto time = parse_iso8601(utc);
  return time ? std::optional<std::int64_t>((*time - east).time_since_epoch().count()) : std::nullopt;
}

/// "1595002920", "1595002920.123456789", "1595002920123ms", "1595002920123456789ns", or the last two without their unit; or a date, as rclone writes an atime.
std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text.find('T') != std::string_view::npos) {
    return parse_date(text);
  }
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
    const std::uint64_t magnitude = *whole < 0 ? -static_cast<std::uint64_t>(*whole) : static_cast<std::uint64_t>(*whole);
    unit = magnitude > 10'000'000'000'000'000 ? 1 : magnitude > 100'000'000'000 ? 1'000'000 : kNanosecondsPerSecond;
  }
  std::int64_t nanoseconds = 0;
  if (__builtin_mul_overflow(*whole, unit, &nanoseconds)) {
    return std::nullopt;
  }
  if (dot != std::string_view::npos && unit == kNanosecondsPerSecond) {
    std::string fraction(text.substr(dot + 1, 9));
    fraction.resize(9, '0');
    const std::uint32_t parts = parse_number<std::uint32_t>(fraction).value_or(0);
    if (__builtin_add_overflow(nanoseconds, std::int64_t{parts}, &nanoseconds)) {
      return std::nullopt;
    }
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

/// s3fs adds a ctime and the fields that it changes, and leaves what AWS's words say of them. Whoever writes these leaves no ctime of s3fs's.
bool s3fs_was_last(const UserMetadata& metadata) { return metadata.contains("ctime"); }

/// The text of a field, from the first dialect that has it.
std::optional<std::string_view> field_of(const UserMetadata& metadata, std::string_view aws, std::string_view common) {
  const bool common_first = s3fs_was_last(metadata);
  if (const auto value = value_of(metadata, common_first ? common : aws)) {
    return value;
  }
  if (const auto value = value_of(metadata, common_first ? aws : common)) {
    return value;
  }
  const auto s3cmd = value_of(metadata, "s3cmd-attrs");
  return s3cmd ? s3cmd_field(*s3cmd, common) : std::nullopt;
}

/// The whole st_mode. A bare 0 is what programs write that know of none.
std::optional<std::uint32_t> mode_of(const ObjectInfo& info) {
  const UserMetadata& metadata = info.user_metadata;
  std::optional<std::uint32_t> mode;
  const auto aws = value_of(metadata, "file-permissions");
  if (aws && !(s3fs_was_last(metadata) && metadata.contains("mode"))) {
    mode = parse_number<std::uint32_t>(*aws, 8);
  } else if (const auto common = field_of(metadata, "file-permissions", "mode")) {
    mode = parse_mode_of_two_dialects(*common, info.size == 0, info.key.str().ends_with('/'));
    mode = mode == 0U ? std::nullopt : mode;
  }
  return mode && *mode <= kModeMax ? mode : std::nullopt;
}

std::optional<std::uint32_t> owner_of(std::string_view text) {
  const auto owner = parse_number<std::uint32_t>(text);
  return owner == kNobody ? std::nullopt : owner;
}

/// geesefs writes it escaped, older versions as it is.
std::optional<std::string> target_in(const UserMetadata& metadata) {
  const auto text = value_of(metadata, kTargetName);
  if (!text) {
    return std::nullopt;
  }
  std::string target = crypto::uri_decode(*text).value_or(std::string(*text));
  return is_target(target) ? std::optional(std::move(target)) : std::nullopt;
}

std::uint32_t type_bits(NodeKind kind) {
  return std::ranges::find(kTypes, kind, &std::pair<std::uint32_t, NodeKind>::second)->first;
}

std::string seconds_text(std::int64_t nanoseconds) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(nanoseconds)).count();
  return fmt::format("{}.{:09}", seconds, nanoseconds - seconds * kNanosecondsPerSecond);
}

}  // namespace

PosixAttributes default_attributes(const Settings& settings, NodeKind kind, WallTime last_modified) {
  return {.mode = kind == NodeKind::directory ? settings.directory_mode : settings.file_mode,
          .uid = settings.uid,
          .gid = settings.gid,
          .mtime_ns = last_modified.time_since_epoch().count()};
}

bool is_target(std::string_view text) {
  return !text.empty() && text.size() <= meta::kTargetBytesMax && text.find('\0') == std::string_view::npos;
}

FileType type_from(const ObjectInfo& info, const Settings& settings) {
  if (settings.dialect == MetadataDialect::off || !info.complete) {
    return {};
  }
  if (auto target = target_in(info.user_metadata)) {
    return {.kind = NodeKind::symlink, .rdev = 0, .target = std::move(target)};
  }
  const std::uint32_t type = mode_of(info).value_or(0) & kTypeBits;
  const auto known = std::ranges::find(kTypes, type, &std::pair<std::uint32_t, NodeKind>::first);
  if (known == kTypes.end() || known->second == NodeKind::directory) {
    return {};
  }
  FileType found{.kind = known->second, .rdev = 0, .target = {}};
  const bool fits = found.kind == NodeKind::symlink ? info.size > 0 && info.size <= meta::kTargetBytesMax : info.size == 0;
  if (found.kind == NodeKind::file || !fits) {
    return {};
  }
  if (meta::is_device(found.kind)) {
    const auto text = field_of(info.user_metadata, "file-rdev", "rdev");
    found.rdev = text ? parse_number<std::uint32_t>(*text).value_or(0) : 0;
  }
  return found;
}

std::optional<std::string> nonsense_in(const ObjectInfo& info, const Settings& settings) {
  if (settings.dialect == MetadataDialect::off || !info.complete) {
    return std::nullopt;
  }
  const UserMetadata& metadata = info.user_metadata;
  const auto told = [](const char* what, std::string_view text) { return fmt::format("{} \"{}\"", what, escape_control(text)); };
  const auto mode_text = field_of(metadata, "file-permissions", "mode");
  const auto mode = mode_of(info);
  if (mode_text && !mode) {
    return told("mode", *mode_text);
  }
  const bool typed = mode && (*mode & kTypeBits) != 0 && (*mode & kTypeBits) != type_bits(NodeKind::file);
  const bool marker = info.key.str().ends_with('/') && mode && (*mode & kTypeBits) == type_bits(NodeKind::directory);
  if (typed && !marker && type_from(info, settings).kind == NodeKind::file) {
    return told("file type in mode", *mode_text);
  }
  for (const auto& [aws, common] : {std::pair("file-owner", "uid"), std::pair("file-group", "gid")}) {
    const auto text = field_of(metadata, aws, common);
    if (text && !owner_of(*text)) {
      return told(common, *text);
    }
  }
  for (const auto& [aws, common] : {std::pair("file-mtime", "mtime"), std::pair("file-atime", "atime")}) {
    const auto text = field_of(metadata, aws, common);
    if (text && !parse_time(*text)) {
      return told(common, *text);
    }
  }
  const auto xattrs = value_of(metadata, kS3fsXattrs);
  return xattrs && parse_s3fs_xattrs(*xattrs).empty() && *xattrs != format_s3fs_xattrs({}) ? std::optional(told("xattr", *xattrs)) : std::nullopt;
}

PosixAttributes attributes_from(const ObjectInfo& info, const Settings& settings, NodeKind kind) {
  PosixAttributes posix = default_attributes(settings, kind, info.last_modified);
  if (settings.dialect == MetadataDialect::off) {
    return posix;
  }
  const UserMetadata& metadata = info.user_metadata;
  if (const auto mode = mode_of(info)) {
    posix.mode = *mode & kPermissionBits;
  }
  if (const auto text = field_of(metadata, "file-owner", "uid")) {
    posix.uid = owner_of(*text).value_or(posix.uid);
  }
  if (const auto text = field_of(metadata, "file-group", "gid")) {
    posix.gid = owner_of(*text).value_or(posix.gid);
  }
  if (const auto text = field_of(metadata, "file-mtime", "mtime")) {
    posix.mtime_ns = parse_time(*text).value_or(posix.mtime_ns);
  }
  if (const auto text = field_of(metadata, "file-atime", "atime")) {
    const auto atime = parse_time(*text);
    posix.atime_ns = atime == posix.mtime_ns ? std::nullopt : atime;
  }
  posix.xattrs = xattrs_in(metadata);
  return posix;
}

void put_attributes(UserMetadata& metadata, const PosixAttributes& posix, const Settings& settings, NodeKind kind, std::uint32_t rdev) {
  if (settings.dialect == MetadataDialect::off) {
    return;
  }
  put_xattrs(metadata, posix.xattrs, settings.dialect);
  for (const std::string_view name : kAttributeNames) {
    if (const auto found = metadata.find(name); found != metadata.end()) {
      metadata.erase(found);
    }
  }
  const PosixAttributes defaults = default_attributes(settings, kind, WallTime{});
  const std::uint32_t mode = posix.mode | type_bits(kind);
  const bool owned = posix.uid != defaults.uid || posix.gid != defaults.gid;
  const bool special = kind != NodeKind::file && kind != NodeKind::directory;
  const bool device = meta::is_device(kind);
  if (settings.dialect == MetadataDialect::s3fs) {
    // s3fs takes a missing mode for "no permissions", so it gets all of them always.
    metadata["mode"] = fmt::format("{}", mode);
    metadata["uid"] = fmt::format("{}", posix.uid);
    metadata["gid"] = fmt::format("{}", posix.gid);
    metadata["mtime"] = seconds_text(posix.mtime_ns);
    if (posix.atime_ns) {
      metadata["atime"] = seconds_text(*posix.atime_ns);
    }
    if (device) {
      metadata["rdev"] = fmt::format("{}", rdev);
    }
    return;
  }
  if (special || posix.mode != defaults.mode) {
    metadata["file-permissions"] = fmt::format("{:07o}", mode);
  }
  if (owned) {
    metadata["file-owner"] = fmt::format("{}", posix.uid);
    metadata["file-group"] = fmt::format("{}", posix.gid);
  }
  metadata["file-mtime"] = fmt::format("{}ns", posix.mtime_ns);
  if (posix.atime_ns) {
    metadata["file-atime"] = fmt::format("{}ns", *posix.atime_ns);
  }
  if (device) {
    metadata["file-rdev"] = fmt::format("{}", rdev);
  }
}

bool same_permissions(const PosixAttributes& a, const PosixAttributes& b) { return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid; }

void drop_set_id(PosixAttributes& posix) {
  constexpr std::uint32_t kSetUserId = 04000;
  constexpr std::uint32_t kSetGroupId = 02000;
  constexpr std::uint32_t kGroupExecutes = 00010;
  posix.mode &= ~((posix.mode & kGroupExecutes) != 0 ? kSetUserId | kSetGroupId : kSetUserId);
}

void apply(const SetAttributes& changes, PosixAttributes& posix) {
  if (changes.drops_set_id) {
    drop_set_id(posix);
  }
  posix.mode = changes.mode ? *changes.mode & 07777 : posix.mode;
  posix.uid = changes.uid.value_or(posix.uid);
  posix.gid = changes.gid.value_or(posix.gid);
  if (changes.mtime_ns && !posix.atime_ns) {
    posix.atime_ns = posix.mtime_ns;
  }
  posix.mtime_ns = changes.mtime_ns.value_or(posix.mtime_ns);
  posix.atime_ns = changes.atime_ns ? changes.atime_ns : posix.atime_ns;
  posix.atime_ns = posix.atime_ns == posix.mtime_ns ? std::nullopt : posix.atime_ns;
  for (const auto& [name, value] : changes.xattrs) {
    posix.xattrs.insert_or_assign(name, value);
  }
}

bool says(const PosixAttributes& stored, const PosixAttributes& wanted) {
  PosixAttributes as_stored = wanted;
  as_stored.xattrs = stored.xattrs;
  return as_stored == stored && std::ranges::all_of(wanted.xattrs, [&](const auto& xattr) {
    const auto found = stored.xattrs.find(xattr.first);
    return xattr.second ? found != stored.xattrs.end() && found->second == xattr.second : found == stored.xattrs.end();
  });
}

void take_stored_xattrs(PosixAttributes& posix, const PosixAttributes& stored) {
  posix.xattrs.insert(stored.xattrs.begin(), stored.xattrs.end());
  std::erase_if(posix.xattrs, [&](const auto& xattr) { return !xattr.second && !stored.xattrs.contains(xattr.first); });
}

void apply(const SetAttributes& changes, meta::Node& node, WallTime now) {
  apply(changes, node.posix);
  node.changed_at = now;
}

bool written_since(const meta::Node& known, WallTime last_modified) {
  // Last-Modified has whole seconds, and S3's clock is not ours.
  constexpr std::chrono::seconds kClockSlack{2};
  if (last_modified == WallTime{}) {
    return false;
  }
  const bool told = known.last_modified != WallTime{};  // not of a version that this mount wrote itself
  const auto seconds = [](WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); };  // listings may tell fractions
  return told ? seconds(last_modified) != seconds(known.last_modified) : last_modified > known.checked_at + kClockSlack;
}

}  // namespace prefixfs::vfs
