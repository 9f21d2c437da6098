#include <charconv>

#include <fmt/format.h>

#include "list_text.h"
#include "object_headers.h"
#include "operations.h"
#include "prefixfs/base/time_format.h"
#include "rights.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kTokenMark = "devs3:";

/// Opaque for clients: base64 of a mark and the last key or common prefix.
std::string make_token(std::string_view last) {
  const auto text = fmt::format("{}{}", kTokenMark, last);
  return crypto::base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Outcome<std::string> read_token(std::string_view token) {
  const auto text = crypto::from_base64(token);
  if (!text || !text->starts_with(kTokenMark)) {
    return invalid_argument("The continuation token provided is incorrect", "continuation-token", std::string(token));
  }
  return text->substr(kTokenMark.size());
}

void write_object(ListText& out, const Object& object, bool with_owner) {
  auto& xml = out.xml();
  xml.open("Contents");
  out.key("Key", object.key);
  xml.element("LastModified", format_iso8601(std::chrono::floor<std::chrono::seconds>(object.last_modified)));
  xml.etag(object.etag);
  xml.element("ChecksumAlgorithm", checksum_name(object.checksum.kind));
  xml.element("ChecksumType", object.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
  xml.number("Size", object.size);
  if (with_owner) {
    xml.open("Owner");
    xml.element("ID", "devs3");
    xml.close("Owner");
  }
  xml.element("StorageClass", object.description.storage_class);
  xml.close("Contents");
}

void write_page(ListText& out, const ListPage& page, bool with_owner) {
  for (const auto& entry : page.entries) {
    if (entry.object) {
      write_object(out, *entry.object, with_owner);
    }
  }
  for (const auto& entry : page.entries) {
    if (!entry.object) {
      out.xml().open("CommonPrefixes");
      out.key("Prefix", entry.common_prefix);
      out.xml().close("CommonPrefixes");
    }
  }
}

Outcome<void> require_list(const Request& request) {
  if (!may_list(*request.who, request.bucket, request.query_value("prefix"))) {
    return access_denied(*request.who, "s3:ListBucket", request.bucket, "");
  }
  return {};
}

}  // namespace

Outcome<Response> list_objects_v2(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_list(request));
  if (request.query_value("list-type") != "2") {
    return invalid_argument("Invalid List Type specified in Request", "list-type", request.query_value("list-type"));
  }
  S3_TRY_ASSIGN(auto out, ListText::create(request));
  S3_TRY_ASSIGN(const auto max_keys, read_count(request, "max-keys"));
  ListQuery query{request.query_value("prefix"), request.query_value("delimiter"), request.query_value("start-after"), max_keys};
  if (request.has_query("continuation-token")) {
    S3_TRY_ASSIGN(query.after, read_token(request.query_value("continuation-token")));
  }
  const auto page = bucket->list(query);
  auto& xml = out.xml();
  xml.open_root("ListBucketResult");
  xml.element("Name", request.bucket);
  out.key("Prefix", query.prefix);
  if (request.has_query("continuation-token")) {
    xml.element("ContinuationToken", request.query_value("continuation-token"));
  }
  if (page.truncated) {
    xml.element("NextContinuationToken", make_token(page.last));
  }
  xml.number("KeyCount", page.entries.size());
  xml.number("MaxKeys", max_keys);
  out.optional_key("Delimiter", query.delimiter);
  out.optional_key("StartAfter", request.query_value("start-after"));
  out.encoding_type();
  xml.boolean("IsTruncated", page.truncated);
  write_page(out, page, request.query_value("fetch-owner") == "true");
  xml.close("ListBucketResult");
  auto response = xml_response(xml.take());
  response.add("x-amz-bucket-region", bucket->info().region);
  return response;
}

Outcome<Response> list_objects(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_list(request));
  S3_TRY_ASSIGN(auto out, ListText::create(request));
  S3_TRY_ASSIGN(const auto max_keys, read_count(request, "max-keys"));
  const ListQuery query{request.query_value("prefix"), request.query_value("delimiter"), request.query_value("marker"), max_keys};
  const auto page = bucket->list(query);
  auto& xml = out.xml();
  xml.open_root("ListBucketResult");
  xml.element("Name", request.bucket);
  out.key("Prefix", query.prefix);
  out.key("Marker", query.after);
  if (page.truncated && !query.delimiter.empty()) {
    out.key("NextMarker", page.last);
  }
  xml.number("MaxKeys", max_keys);
  out.optional_key("Delimiter", query.delimiter);
  out.encoding_type();
  xml.boolean("IsTruncated", page.truncated);
  write_page(out, page, true);
  xml.close("ListBucketResult");
  return xml_response(xml.take());
}

}  // namespace prefixfs::devs3
