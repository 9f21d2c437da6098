#include "headers.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/crc64nvme.h"

namespace prefixfs::s3 {

namespace {

constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr std::string_view kKms = "aws:kms";
constexpr std::string_view kDsse = "aws:kms:dsse";

bool is_name_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; }

/// HTTP strips white space at both ends (RFC 9110, 5.5).
bool travels_unchanged(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; }) && !value.starts_with(' ') &&
         !value.ends_with(' ');
}

std::string text_of(const http::Response& response, std::string_view name) {
  const auto value = response.header(name);
  return value ? std::string(*value) : std::string();
}

UserMetadata read_user_metadata(const http::Response& response) {
  UserMetadata metadata;
  for (const http::Header& header : response.headers) {
    if (header.name.starts_with(kMetaPrefix)) {
      metadata[header.name.substr(kMetaPrefix.size())] = header.value;
    }
  }
  return metadata;
}

Result<std::uint64_t> read_size(const http::Response& response) {
  const auto range = response.header("content-range");
  if (response.status == 206 || range) {
    const auto parsed = parse_content_range(range.value_or(""));
    if (!parsed) {
      return fail(Errc::corrupt, fmt::format("the answer has the Content-Range '{}'", range.value_or("").substr(0, 80)));
    }
    return parsed->size;
  }
  const auto length = parse_number(response.header("content-length").value_or(""));
  if (!length) {
    return fail(Errc::corrupt, "the answer has no Content-Length");
  }
  return *length;
}

}  // namespace

StorageChoice storage_of(const ObjectInfo& info) {
  constexpr std::array<std::string_view, 5> kReadable{"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"};
  StorageChoice choice;
  if (std::ranges::find(kReadable, info.storage_class) != kReadable.end()) {
    choice.storage_class = info.storage_class;
  }
  if (info.sse == kKms || info.sse == kDsse) {
    choice.sse = info.sse;
    choice.sse_key_id = info.sse_key_id;
    choice.bucket_key = info.bucket_key;
  }
  return choice;
}

std::optional<WallTime> restored_until(const ObjectInfo& info) {
  constexpr std::string_view kBefore = "expiry-date=\"";
  const std::size_t at = info.restore.find(kBefore);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const std::string_view rest = std::string_view(info.restore).substr(at + kBefore.size());
  return parse_http_date(rest.substr(0, rest.find('"')));
}

ObjectHeaders headers_of(const ObjectInfo& info) {
  return {info.content_type, info.cache_control, info.content_disposition, info.content_encoding, info.content_language, info.expires,
          info.user_metadata, storage_of(info), info.tagging.value_or("")};
}

void apply_headers(const ObjectHeaders& headers, ObjectInfo& info) {
  info.content_type = headers.content_type;
  info.cache_control = headers.cache_control;
  info.content_disposition = headers.content_disposition;
  info.content_encoding = headers.content_encoding;
  info.content_language = headers.content_language;
  info.expires = headers.expires;
  info.user_metadata = headers.user_metadata;
  info.storage_class = headers.storage.storage_class;
  info.sse = headers.storage.sse;
  info.sse_key_id = headers.storage.sse_key_id;
  info.bucket_key = headers.storage.bucket_key;
  info.tagging = headers.tagging;
  info.tag_count = headers.tagging.empty() ? 0 : 1 + static_cast<int>(std::ranges::count(headers.tagging, '&'));
}

Result<Headers> describe_object(const ObjectHeaders& headers) {
  Headers result;
  const std::pair<const char*, const std::string*> standard[] = {
      {"content-type", &headers.content_type},         {"cache-control", &headers.cache_control},
      {"content-disposition", &headers.content_disposition}, {"content-encoding", &headers.content_encoding},
      {"content-language", &headers.content_language}, {"expires", &headers.expires},
  };
  for (const auto& [name, value] : standard) {
    if (value->empty()) {
      continue;
    }
    if (!travels_unchanged(*value)) {
      return fail(Errc::invalid, fmt::format("the {} of an object must be printable ASCII", name));
    }
    result.push_back({name, *value});
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers.user_metadata) {
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_char) || !travels_unchanged(value)) {
      return fail(Errc::invalid, fmt::format("the metadata '{}' needs a lower-case name and a printable ASCII value", name));
    }
    bytes += name.size() + value.size();
    result.push_back({std::string(kMetaPrefix) + name, value});
  }
  if (bytes > kUserMetadataBytesMax) {
    return fail(Errc::too_large, fmt::format("the user metadata has {} bytes; S3 takes {}", bytes, kUserMetadataBytesMax));
  }
  return result;
}

Result<Headers> storage_headers(const std::string& sse, const std::string& storage_class, const StorageChoice& own) {
  Headers result;
  std::string algorithm = sse;
  std::string key_id;
  if (sse.empty()) {
    algorithm = own.sse.empty() ? "AES256" : own.sse;
    key_id = own.sse_key_id;
  } else if (sse.starts_with(kDsse) && (sse.size() == kDsse.size() || sse[kDsse.size()] == ':')) {
    algorithm = kDsse;
    key_id = sse.size() > kDsse.size() ? sse.substr(kDsse.size() + 1) : "";
  } else if (sse.starts_with("aws:kms:")) {
    algorithm = kKms;
    key_id = sse.substr(kKms.size() + 1);
  } else if (sse != "none" && sse != "AES256" && sse != kKms) {
    return fail(Errc::invalid, fmt::format("sse={} is none of none, AES256, aws:kms[:key], aws:kms:dsse", sse));
  }
  if (algorithm != "none") {
    result.push_back({"x-amz-server-side-encryption", algorithm});
  }
  if (!key_id.empty()) {
    result.push_back({"x-amz-server-side-encryption-aws-kms-key-id", key_id});
  }
  if (sse.empty() && own.bucket_key) {
    result.push_back({"x-amz-server-side-encryption-bucket-key-enabled", "true"});
  }
  if (const std::string& chosen = storage_class.empty() ? own.storage_class : storage_class; !chosen.empty()) {
    result.push_back({"x-amz-storage-class", chosen});
  }
  return result;
}

void add_tagging(const ObjectHeaders& headers, Headers& out) {
  if (!headers.tagging.empty()) {
    out.push_back({"x-amz-tagging", headers.tagging});
  }
}

void add_grants(const Grants& grants, Headers& out) {
  const std::pair<const char*, const std::string*> named[] = {{"x-amz-grant-full-control", &grants.full_control},
                                                              {"x-amz-grant-read", &grants.read},
                                                              {"x-amz-grant-read-acp", &grants.read_acp},
                                                              {"x-amz-grant-write-acp", &grants.write_acp}};
  for (const auto& [name, grantees] : named) {
    if (!grantees->empty()) {
      out.push_back({name, *grantees});
    }
  }
}

Result<ObjectInfo> read_object_info(const Key& key, const http::Response& response) {
  ObjectInfo info;
  info.key = key;
  info.etag = ETag::from_wire(text_of(response, "etag"));
  if (info.etag.empty()) {
    return fail(Errc::corrupt, fmt::format("the answer for '{}' has no ETag", key.str()));
  }
  TRY_ASSIGN(info.size, read_size(response));
  info.last_modified = parse_http_date(text_of(response, "last-modified")).value_or(WallTime{});
  info.told_at = parse_http_date(text_of(response, "date")).value_or(WallTime{});
  info.complete = true;
  const std::string storage_class = text_of(response, "x-amz-storage-class");
  info.storage_class = storage_class == "STANDARD" ? "" : storage_class;
  info.user_metadata = read_user_metadata(response);
  info.content_type = text_of(response, "content-type");
  info.content_encoding = text_of(response, "content-encoding");
  info.content_disposition = text_of(response, "content-disposition");
  info.content_language = text_of(response, "content-language");
  info.cache_control = text_of(response, "cache-control");
  info.expires = text_of(response, "expires");
  info.version_id = text_of(response, "x-amz-version-id");
  info.sse = text_of(response, "x-amz-server-side-encryption");
  info.sse_key_id = text_of(response, "x-amz-server-side-encryption-aws-kms-key-id");
  info.bucket_key = text_of(response, "x-amz-server-side-encryption-bucket-key-enabled") == "true";
  info.restore = text_of(response, "x-amz-restore");
  info.tag_count = static_cast<int>(std::min<std::uint64_t>(parse_number(text_of(response, "x-amz-tagging-count")).value_or(0), 50));
  if (text_of(response, "x-amz-checksum-type") != "COMPOSITE") {
    info.crc64nvme = crypto::crc64nvme_from_header(text_of(response, "x-amz-checksum-crc64nvme"));
  }
  return info;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = parse_number(text.substr(6, dash - 6));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  const auto size = parse_number(text.substr(slash + 1));
  if (!first || !last || !size || *first > *last || *last >= *size) {
    return std::nullopt;
  }
  return ContentRange{{*first, *last + 1}, *size};
}

}  // namespace prefixfs::s3
