#include <charconv>

#include <fmt/format.h>

#include "acl.h"
#include "body_intake.h"
#include "digests.h"
#include "extent_digest.h"
#include "multipart.h"
#include "object_headers.h"
#include "operations.h"
#include "rights.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

constexpr int kPartNumberMax = 10'000;

/// x-amz-checksum-algorithm and x-amz-checksum-type of CreateMultipartUpload (S3 User Guide, "Checking object integrity": the CRCs may be
/// full-object, CRC64NVME must be, the SHAs cannot).
Outcome<void> read_checksum_choice(const Request& request, Upload& upload) {
  const auto algorithm = request.http.headers.find("x-amz-checksum-algorithm");
  const auto type = request.http.headers.find("x-amz-checksum-type");
  if (algorithm) {
    const auto kind = checksum_kind(*algorithm);
    if (!kind) {
      return invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
                             "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    }
    upload.checksum_kind = *kind;
    upload.checksum_chosen = true;
  } else if (type) {
    return invalid_request("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  if (type && *type != "FULL_OBJECT" && *type != "COMPOSITE") {
    return invalid_request("Value for x-amz-checksum-type header is invalid.");
  }
  upload.composite = type ? *type == "COMPOSITE" : upload.checksum_kind != ChecksumKind::crc64nvme;
  const bool impossible = upload.composite ? upload.checksum_kind == ChecksumKind::crc64nvme : !is_crc(upload.checksum_kind);
  if (impossible) {
    return invalid_request(fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.",
                                       upload.composite ? "COMPOSITE" : "FULL_OBJECT", checksum_name(upload.checksum_kind)));
  }
  return {};
}

/// A part's checksum must be of the kind the upload was created with; where none was chosen, any is checked and CRC64NVME is kept.
Outcome<std::string> part_checksum(const Upload& upload, const TakenBody& body) {
  if (body.checksum.kind == upload.checksum_kind) {
    return body.checksum.value;
  }
  S3_TRY_ASSIGN(const auto digest, digest_extents(body.extents, upload.checksum_kind, Md5::skip));
  return digest.checksum;
}

}  // namespace

Outcome<int> read_part_number(const Request& request) {
  const auto text = request.query_value("partNumber");
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > kPartNumberMax) {
    return invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", text);
  }
  return number;
}

Outcome<void> refuse_encryption_headers(const Request& request) {
  for (const auto& header : request.http.headers.all()) {
    if (header.name.starts_with("x-amz-server-side-encryption")) {
      return invalid_argument(fmt::format("{} header is not supported for this operation.", header.name), header.name, header.value);
    }
  }
  return {};
}

Outcome<Response> create_multipart_upload(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_write(request));
  S3_TRY(require_encryption(request, context.access.rules_of(request.bucket)));
  Upload upload;
  upload.key = request.key;
  S3_TRY_ASSIGN(upload.description, read_description(request));
  S3_TRY_ASSIGN(upload.description.acl, read_acl(request, context.access.rules_of(request.bucket)));
  S3_TRY(read_checksum_choice(request, upload));
  upload.id = fmt::format("{:016x}{:016x}", context.random.next(), context.random.next());
  upload.initiator = request.who->access;
  upload.initiated = context.clock.now();
  S3_TRY(bucket->create_upload(upload));
  XmlWriter xml;
  xml.open_root("InitiateMultipartUploadResult");
  xml.element("Bucket", request.bucket);
  xml.element("Key", request.key);
  xml.element("UploadId", upload.id);
  xml.close("InitiateMultipartUploadResult");
  auto response = xml_response(xml.take());
  add_encryption_headers(response, upload.description);
  if (upload.checksum_chosen) {
    response.add("x-amz-checksum-algorithm", std::string(checksum_name(upload.checksum_kind)));
    response.add("x-amz-checksum-type", upload.composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  return response;
}

Outcome<Response> upload_part(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:PutObject"));
  S3_TRY(refuse_encryption_headers(request));
  S3_TRY_ASSIGN(const int number, read_part_number(request));
  S3_TRY_ASSIGN(const auto upload, bucket->find_upload(request.key, request.query_value("uploadId")));
  S3_TRY_ASSIGN(const auto announced, announced_checksum(request.http.headers));
  if (upload.checksum_chosen && announced && *announced != upload.checksum_kind) {
    return invalid_request(fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                                       checksum_name(upload.checksum_kind), checksum_name(*announced)));
  }
  S3_TRY_ASSIGN(auto body, take_body(request, context.store.files(), upload.checksum_kind));
  Part part;
  part.number = number;
  part.size = body.size;
  part.etag = hex_text(body.md5);
  part.last_modified = context.clock.now();
  S3_TRY_ASSIGN(part.checksum, part_checksum(upload, body));
  part.extents = std::move(body.extents);
  S3_TRY(bucket->put_part(request.key, upload.id, part));
  auto response = empty_response(200);
  response.add("ETag", quoted_etag(part.etag));
  add_encryption_headers(response, upload.description);
  response.add(std::string(checksum_header(body.checksum.kind)), body.checksum.value);
  return response;
}

Outcome<Response> abort_multipart_upload(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  const auto id = request.query_value("uploadId");
  S3_TRY_ASSIGN(const auto upload, bucket->find_upload(request.key, id));
  S3_TRY(require_upload(request, "s3:AbortMultipartUpload", upload));
  S3_TRY(bucket->abort_upload(request.key, id));
  return empty_response(204);
}

}  // namespace prefixfs::devs3
