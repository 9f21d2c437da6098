#include "acl.h"
#include "conditions.h"
#include "copy_source.h"
#include "extent_digest.h"
#include "multipart.h"
#include "object_headers.h"
#include "operations.h"
#include "prefixfs/base/time_format.h"
#include "range.h"
#include "rights.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::uint64_t kCopyBytesMax = 5ULL << 30;
constexpr std::uint64_t kRangedCopyBytesMin = 5ULL << 20;

/// Whether a directive says REPLACE; COPY is the default.
Outcome<bool> replaces(const Request& request, std::string_view header) {
  const auto value = request.http.headers.find(header).value_or("COPY");
  if (value != "COPY" && value != "REPLACE") {
    return invalid_argument("Unknown directive.", header, value);
  }
  return value == "REPLACE";
}

/// Storage class, encryption and ACL are never copied: what the request does not say gets the default.
Outcome<Description> describe_copy(const Request& request, const Object& source) {
  Description out;
  S3_TRY_ASSIGN(const bool replace_metadata, replaces(request, "x-amz-metadata-directive"));
  S3_TRY_ASSIGN(const bool replace_tags, replaces(request, "x-amz-tagging-directive"));
  out.headers = source.description.headers;
  if (replace_metadata) {
    S3_TRY_ASSIGN(out.headers, read_object_headers(request));
  }
  out.tags = source.description.tags;
  if (replace_tags) {
    S3_TRY_ASSIGN(out.tags, read_tags(request));
  }
  S3_TRY_ASSIGN(out.storage_class, read_storage_class(request));
  S3_TRY(read_encryption(request, out));
  return out;
}

Outcome<void> check_self_copy(const Request& request, const CopySource& source, const Description& copy) {
  const auto& from = source.object->description;
  const bool same = source.bucket == request.bucket && source.key == request.key;
  const bool replaced = request.header("x-amz-metadata-directive") == "REPLACE";
  if (same && !replaced && copy.storage_class == from.storage_class && copy.sse == from.sse && copy.sse_key_id == from.sse_key_id) {
    return invalid_request("This copy request is illegal because it is trying to copy an object to itself without changing the object's "
                           "metadata, storage class, website redirect location or encryption attributes.");
  }
  return {};
}

Outcome<void> check_tag_rights(const Request& request, const CopySource& source, const Description& copy) {
  if (!source.object->description.tags.empty() && request.header("x-amz-tagging-directive") != "REPLACE") {
    S3_TRY(require_on(request, "s3:GetObjectTagging", source.bucket, source.key));
  }
  if (!copy.tags.empty()) {
    S3_TRY(require(request, "s3:PutObjectTagging"));
  }
  return {};
}

bool has_plain_etag(const Object& object) {
  return object.etag.find('-') == std::string::npos && object.description.sse == "AES256";
}

/// The copy is a single upload: a multipart source gets the MD5 of its whole as ETag, and a full-object checksum.
Outcome<void> digest_copy(Object& copy, const Object& source, Random& random) {
  copy.checksum = source.checksum;
  if (has_plain_etag(source) && !source.checksum.composite && copy.description.sse == "AES256") {
    copy.etag = source.etag;
    return {};
  }
  S3_TRY_ASSIGN(const auto digest, digest_extents(source.extents, source.checksum.kind, Md5::compute));
  copy.etag = make_etag(digest.md5, copy.description, random);
  copy.checksum = {source.checksum.kind, digest.checksum, false};
  return {};
}

Response copy_result(std::string_view root, const std::string& etag, WallTime time, const Checksum& checksum) {
  XmlWriter xml;
  xml.open_root(root);
  xml.element("LastModified", format_iso8601(time));
  xml.etag(etag);
  xml.element(checksum_element(checksum.kind), checksum.value);
  xml.close(root);
  return xml_response(xml.take());
}

}  // namespace

Outcome<Response> copy_object(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_write(request));
  S3_TRY(require_encryption(request, context.access.rules_of(request.bucket)));
  S3_TRY_ASSIGN(const auto source, find_copy_source(context, request));
  if (source.object->size > kCopyBytesMax) {
    return invalid_request("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120");
  }
  Object copy;
  copy.key = request.key;
  S3_TRY_ASSIGN(copy.description, describe_copy(request, *source.object));
  S3_TRY_ASSIGN(copy.description.acl, read_acl(request, context.access.rules_of(request.bucket)));
  S3_TRY(check_self_copy(request, source, copy.description));
  S3_TRY(check_tag_rights(request, source, copy.description));
  const auto guard = [&](const Object* present) { return check_write(request.http.headers, request.key, present); };
  S3_TRY(guard(bucket->find(request.key).get()));
  S3_TRY(digest_copy(copy, *source.object, context.random));
  copy.size = source.object->size;
  copy.extents = source.object->extents;
  copy.last_modified = context.clock.now();
  S3_TRY_ASSIGN(const auto stored, bucket->put(std::move(copy), guard));
  auto response = copy_result("CopyObjectResult", stored->etag, stored->last_modified, stored->checksum);
  add_encryption_headers(response, stored->description);
  return response;
}

Outcome<Response> upload_part_copy(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:PutObject"));
  S3_TRY(refuse_encryption_headers(request));
  S3_TRY_ASSIGN(const int number, read_part_number(request));
  S3_TRY_ASSIGN(const auto upload, bucket->find_upload(request.key, request.query_value("uploadId")));
  S3_TRY_ASSIGN(const auto source, find_copy_source(context, request));
  ByteRange range{0, source.object->size};
  if (const auto header = request.http.headers.find("x-amz-copy-source-range")) {
    S3_TRY_ASSIGN(range, read_copy_range(*header, source.object->size));
    if (source.object->size <= kRangedCopyBytesMin && range.length() != source.object->size) {
      return invalid_request("The specified copy range is invalid for the source object size.");
    }
  }
  if (range.length() > kCopyBytesMax) {
    return invalid_request("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120");
  }
  Part part;
  part.number = number;
  part.size = range.length();
  part.extents = slice(source.object->extents, range.begin, range.length());
  part.last_modified = context.clock.now();
  const bool md5_known = range.length() == source.object->size && has_plain_etag(*source.object);
  S3_TRY_ASSIGN(const auto digest, digest_extents(part.extents, upload.checksum_kind, md5_known ? Md5::skip : Md5::compute));
  part.etag = md5_known ? source.object->etag : hex_text(digest.md5);
  part.checksum = digest.checksum;
  S3_TRY(bucket->put_part(request.key, upload.id, part));
  auto response = copy_result("CopyPartResult", part.etag, part.last_modified, {upload.checksum_kind, part.checksum, false});
  add_encryption_headers(response, upload.description);
  return response;
}

}  // namespace prefixfs::devs3
