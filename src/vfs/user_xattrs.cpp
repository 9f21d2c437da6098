#include "user_xattrs.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "metadata_names.h"
#include "s3fs_xattrs.h"

namespace prefixfs::vfs {
namespace {

constexpr std::string_view kNamespace = "user.";
constexpr std::size_t kRecordHeadBytes = 8;

/// Lower case, since headers have no case; nothing that a proxy might drop.
bool is_field_name(std::string_view name) {
  const bool fit = std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'; });
  return fit && !name.empty() && !is_known_name(name);
}

/// What comes back as it was sent: no spaces that are trimmed or joined, nothing that S3 would take for encoded text.
bool is_field_value(std::string_view value) {
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  const bool spaced = value.starts_with(' ') || value.ends_with(' ') || value.find("  ") != std::string_view::npos;
  return printable && !spaced && !value.empty() && !value.starts_with("=?");
}

}  // namespace

meta::Xattrs xattrs_in(const UserMetadata& metadata) {
  meta::Xattrs found;
  std::size_t bytes = 0;
  const auto take = [&](std::string_view name, const std::string& value) {
    const std::size_t more = kRecordHeadBytes + name.size() + value.size();
    if (!name.empty() && name.size() <= meta::kXattrNameBytesMax && bytes + more <= meta::kXattrsBytesMax) {
      bytes += more;
      found.insert_or_assign(std::string(name), value);
    }
  };
  for (const auto& [name, value] : metadata) {
    if (!is_known_name(name)) {
      take(name, value);
    }
  }
  if (const auto together = metadata.find(kS3fsXattrs); together != metadata.end()) {
    for (const auto& [name, value] : parse_s3fs_xattrs(together->second)) {
      if (name.starts_with(kNamespace)) {
        take(std::string_view(name).substr(kNamespace.size()), value);
      }
    }
  }
  return found;
}

void put_xattrs(UserMetadata& metadata, const meta::Xattrs& xattrs, MetadataDialect dialect) {
  const meta::Xattrs before = xattrs_in(metadata);
  const auto together = metadata.find(kS3fsXattrs);
  S3fsXattrs joined = together == metadata.end() ? S3fsXattrs() : parse_s3fs_xattrs(together->second);
  bool changed = false;
  for (const auto& [name, value] : xattrs) {
    const auto present = before.find(name);
    if (value ? present != before.end() && present->second == value : present == before.end()) {
      continue;
    }
    changed = joined.erase(std::string(kNamespace) + name) > 0 || changed;
    if (const auto field = metadata.find(name); field != metadata.end() && !is_known_name(name)) {
      metadata.erase(field);
    }
    if (!value) {
      continue;
    }
    if (dialect != MetadataDialect::s3fs && is_field_name(name) && is_field_value(*value)) {
      metadata[name] = *value;
    } else {
      joined[std::string(kNamespace) + name] = *value;
      changed = true;
    }
  }
  if (changed && joined.empty()) {
    metadata.erase(std::string(kS3fsXattrs));
  } else if (changed) {
    metadata[std::string(kS3fsXattrs)] = format_s3fs_xattrs(joined);
  }
}

std::size_t metadata_bytes(const UserMetadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) {
    bytes += name.size() + value.size();
  }
  return bytes;
}

}  // namespace prefixfs::vfs
