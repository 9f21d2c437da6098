#include <algorithm>
#include <charconv>

#include "list_text.h"
#include "object_headers.h"
#include "operations.h"
#include "prefixfs/base/time_format.h"
#include "rights.h"

namespace prefixfs::devs3 {
namespace {

void write_part(XmlWriter& xml, const Upload& upload, const Part& part) {
  xml.open("Part");
  xml.number("PartNumber", static_cast<std::uint64_t>(part.number));
  xml.element("LastModified", format_iso8601(part.last_modified));
  xml.etag(part.etag);
  xml.number("Size", part.size);
  xml.element(checksum_element(upload.checksum_kind), part.checksum);
  xml.close("Part");
}

void write_upload(ListText& out, const Upload& upload) {
  auto& xml = out.xml();
  xml.open("Upload");
  out.key("Key", upload.key);
  xml.element("UploadId", upload.id);
  xml.element("StorageClass", upload.description.storage_class);
  xml.element("Initiated", format_iso8601(upload.initiated));
  xml.close("Upload");
}

/// Whether (key, id) comes after the markers of the request.
bool is_after(const Upload& upload, const std::string& key_marker, const std::string& id_marker) {
  return upload.key > key_marker || (upload.key == key_marker && !id_marker.empty() && upload.id > id_marker);
}

struct UploadPage {
  std::vector<Upload> uploads;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
};

UploadPage choose_uploads(std::vector<Upload> all, const Request& request, std::size_t max) {
  const auto prefix = request.query_value("prefix");
  const auto delimiter = request.query_value("delimiter");
  UploadPage page;
  for (auto& upload : all) {
    if (!upload.key.starts_with(prefix) || !is_after(upload, request.query_value("key-marker"), request.query_value("upload-id-marker"))) {
      continue;
    }
    const auto end = delimiter.empty() ? std::string::npos : upload.key.find(delimiter, prefix.size());
    const auto common = end == std::string::npos ? std::string() : upload.key.substr(0, end + delimiter.size());
    if (!common.empty() && !page.common_prefixes.empty() && page.common_prefixes.back() == common) {
      continue;
    }
    if (page.uploads.size() + page.common_prefixes.size() == max) {
      page.truncated = max > 0;
      break;
    }
    if (common.empty()) {
      page.uploads.push_back(std::move(upload));
    } else {
      page.common_prefixes.push_back(common);
    }
  }
  return page;
}

}  // namespace

Outcome<Response> list_parts(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY_ASSIGN(const auto upload, bucket->find_upload(request.key, request.query_value("uploadId")));
  S3_TRY(require_upload(request, "s3:ListMultipartUploadParts", upload));
  S3_TRY_ASSIGN(auto out, ListText::create(request));
  S3_TRY_ASSIGN(const auto max_parts, read_count(request, "max-parts"));
  const auto text = request.query_value("part-number-marker");
  int marker = 0;
  std::from_chars(text.data(), text.data() + text.size(), marker);
  auto& xml = out.xml();
  xml.open_root("ListPartsResult");
  xml.element("Bucket", request.bucket);
  out.key("Key", request.key);
  xml.element("UploadId", upload.id);
  xml.element("StorageClass", upload.description.storage_class);
  xml.number("PartNumberMarker", static_cast<std::uint64_t>(std::max(marker, 0)));
  xml.number("MaxParts", max_parts);
  xml.element("ChecksumAlgorithm", checksum_name(upload.checksum_kind));
  xml.element("ChecksumType", upload.composite ? "COMPOSITE" : "FULL_OBJECT");
  auto it = upload.parts.upper_bound(marker);
  for (std::size_t count = 0; it != upload.parts.end() && count < max_parts; ++it, ++count) {
    write_part(xml, upload, it->second);
    marker = it->first;
  }
  xml.boolean("IsTruncated", it != upload.parts.end());
  if (it != upload.parts.end()) {
    xml.number("NextPartNumberMarker", static_cast<std::uint64_t>(marker));
  }
  xml.close("ListPartsResult");
  return xml_response(xml.take());
}

Outcome<Response> list_multipart_uploads(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:ListBucketMultipartUploads"));
  S3_TRY_ASSIGN(auto out, ListText::create(request));
  S3_TRY_ASSIGN(const auto max_uploads, read_count(request, "max-uploads"));
  const auto page = choose_uploads(bucket->uploads(), request, max_uploads);
  auto& xml = out.xml();
  xml.open_root("ListMultipartUploadsResult");
  xml.element("Bucket", request.bucket);
  out.key("KeyMarker", request.query_value("key-marker"));
  xml.element("UploadIdMarker", request.query_value("upload-id-marker"));
  out.key("Prefix", request.query_value("prefix"));
  out.optional_key("Delimiter", request.query_value("delimiter"));
  xml.number("MaxUploads", max_uploads);
  out.encoding_type();
  xml.boolean("IsTruncated", page.truncated);
  if (page.truncated && !page.uploads.empty()) {
    out.key("NextKeyMarker", page.uploads.back().key);
    xml.element("NextUploadIdMarker", page.uploads.back().id);
  }
  for (const auto& upload : page.uploads) {
    write_upload(out, upload);
  }
  for (const auto& common : page.common_prefixes) {
    xml.open("CommonPrefixes");
    out.key("Prefix", common);
    xml.close("CommonPrefixes");
  }
  xml.close("ListMultipartUploadsResult");
  return xml_response(xml.take());
}

}  // namespace prefixfs::devs3
