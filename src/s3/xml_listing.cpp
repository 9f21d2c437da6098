#include "xml_listing.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"
#include "xml_parser.h"

namespace prefixfs::s3 {

namespace {

/// A row as it stands in the document, all texts raw.
struct RawObject {
  std::string key;
  std::string size;
  std::string etag;
  std::string last_modified;
  std::string storage_class;
};

/// Undoes encoding-type=url; S3 encodes as in forms, "+" is a space.
Result<std::string> decode_key(const std::string& text, bool url_encoded) {
  if (!url_encoded) {
    return text;
  }
  auto decoded = crypto::uri_decode(text, true);
  if (!decoded) {
    return fail(Errc::corrupt, fmt::format("the listing has a broken escape in '{}'", text.substr(0, 200)));
  }
  return *std::move(decoded);
}

Result<std::string> decode_below(const std::string& text, bool url_encoded, const std::string& prefix) {
  TRY_ASSIGN(std::string key, decode_key(text, url_encoded));
  if (key.empty() || key.size() > kKeyBytesMax || !key.starts_with(prefix)) {
    return fail(Errc::corrupt, fmt::format("the listing of '{}' has the key '{}'", prefix, key.substr(0, 200)));
  }
  return key;
}

Result<ObjectInfo> to_info(const RawObject& raw, bool url_encoded, const std::string& prefix) {
  ObjectInfo info;
  TRY_ASSIGN(std::string key, decode_below(raw.key, url_encoded, prefix));
  info.key = Key(std::move(key));
  const char* const end = raw.size.data() + raw.size.size();
  const auto [at, error] = std::from_chars(raw.size.data(), end, info.size);
  if (error != std::errc() || at != end || info.size > (1ULL << 62)) {
    return fail(Errc::corrupt, fmt::format("the listing gives '{}' the size '{}'", info.key.str(), raw.size.substr(0, 40)));
  }
  info.etag = ETag::from_wire(raw.etag);
  info.last_modified = parse_iso8601(raw.last_modified).value_or(WallTime{});
  if (raw.storage_class != "STANDARD") {
    info.storage_class = raw.storage_class;
  }
  return info;
}

struct RawPage {
  std::vector<RawObject> objects;
  std::vector<std::string> common_prefixes;
  std::string token;
  std::string encoding;
  bool truncated = false;

  void take(std::string_view path, const std::string& text) {
    if (path.starts_with("Contents/") && !objects.empty()) {
      take_field(objects.back(), path.substr(9), text);
    } else if (path == "CommonPrefixes/Prefix") {
      common_prefixes.push_back(text);
    } else if (path == "NextContinuationToken") {
      token = text;
    } else if (path == "EncodingType") {
      encoding = text;
    } else if (path == "IsTruncated") {
      truncated = text == "true";
    }
  }
  static void take_field(RawObject& object, std::string_view field, const std::string& text) {
    if (field == "Key") {
      object.key = text;
    } else if (field == "Size") {
      object.size = text;
    } else if (field == "ETag") {
      object.etag = text;
    } else if (field == "LastModified") {
      object.last_modified = text;
    } else if (field == "StorageClass") {
      object.storage_class = text;
    }
  }
};

}  // namespace

Result<ListPage> read_list_page(std::string_view body, const std::string& prefix) {
  RawPage raw;
  XmlCallbacks callbacks;
  callbacks.open = [&](std::string_view path) {
    if (path == "Contents") {
      raw.objects.emplace_back();
    }
  };
  callbacks.close = [&](std::string_view path, const std::string& text) { raw.take(path, text); };
  TRY_ASSIGN(const std::string root, parse_xml(body, callbacks));
  if (root != "ListBucketResult" && root != "ListObjectsV2Result" && root != "ListObjectsV2Output") {
    return fail(Errc::corrupt, fmt::format("the answer to ListObjectsV2 is a <{}>", root));
  }
  if (raw.truncated && raw.token.empty()) {
    return fail(Errc::corrupt, fmt::format("the listing of '{}' goes on but has no continuation token", prefix));
  }
  const bool url_encoded = raw.encoding == "url";
  ListPage page;
  page.objects.reserve(raw.objects.size());
  for (const RawObject& object : raw.objects) {
    TRY_ASSIGN(ObjectInfo info, to_info(object, url_encoded, prefix));
    page.objects.push_back(std::move(info));
  }
  for (const std::string& text : raw.common_prefixes) {
    TRY_ASSIGN(std::string folder, decode_below(text, url_encoded, prefix));
    page.common_prefixes.push_back(std::move(folder));
  }
  // S3 sorts by UTF-8 bytes; directory buckets and some servers do not.
  std::ranges::sort(page.objects, {}, &ObjectInfo::key);
  std::ranges::sort(page.common_prefixes);
  if (raw.truncated) {
    page.next_token = raw.token;
  }
  return page;
}

Result<UploadsPage> read_uploads_page(std::string_view body, const std::string& prefix) {
  struct RawUpload {
    std::string key;
    std::string id;
    std::string initiated;
  };
  std::vector<RawUpload> rows;
  UploadsPage page;
  std::string encoding;
  XmlCallbacks callbacks;
  callbacks.open = [&](std::string_view path) {
    if (path == "Upload") {
      rows.emplace_back();
    }
  };
  callbacks.close = [&](std::string_view path, const std::string& text) {
    if (path == "Upload/Key" && !rows.empty()) {
      rows.back().key = text;
    } else if (path == "Upload/UploadId" && !rows.empty()) {
      rows.back().id = text;
    } else if (path == "Upload/Initiated" && !rows.empty()) {
      rows.back().initiated = text;
    } else if (path == "IsTruncated") {
      page.truncated = text == "true";
    } else if (path == "NextKeyMarker") {
      page.next_key_marker = text;
    } else if (path == "NextUploadIdMarker") {
      page.next_upload_id_marker = text;
    } else if (path == "EncodingType") {
      encoding = text;
    }
  };
  TRY_ASSIGN(const std::string root, parse_xml(body, callbacks));
  if (!root.starts_with("ListMultipartUploads")) {
    return fail(Errc::corrupt, fmt::format("the answer to ListMultipartUploads is a <{}>", root));
  }
  const bool url_encoded = encoding == "url";
  TRY_ASSIGN(page.next_key_marker, decode_key(page.next_key_marker, url_encoded));
  for (const RawUpload& row : rows) {
    TRY_ASSIGN(std::string key, decode_below(row.key, url_encoded, prefix));
    page.uploads.push_back({Key(std::move(key)), row.id, parse_iso8601(row.initiated).value_or(WallTime{})});
  }
  return page;
}

}  // namespace prefixfs::s3
