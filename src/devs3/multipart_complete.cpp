#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "body_intake.h"
#include "conditions.h"
#include "digests.h"
#include "extent_digest.h"
#include "multipart.h"
#include "object_headers.h"
#include "operations.h"
#include "prefixfs/object/etag.h"
#include "rights.h"
#include "xml_read.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::uint64_t kPartBytesMin = 5ULL << 20;  // S3 User Guide, "Amazon S3 multipart upload limits"; the last part may be smaller

struct ClaimedPart {
  int number = 0;
  std::string etag;
  std::optional<std::string> checksum;  ///< of the upload's kind
};

Outcome<std::vector<ClaimedPart>> read_claims(const Request& request, const Upload& upload) {
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::none));
  S3_TRY_ASSIGN(const auto root, read_xml(text, "CompleteMultipartUpload"));
  S3_TRY(root.only({"Part"}));
  std::vector<ClaimedPart> claims;
  for (const auto& node : root.children) {
    S3_TRY(node.only({"PartNumber", "ETag", "ChecksumCRC64NVME", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumSHA1", "ChecksumSHA256"}));
    ClaimedPart claim;
    const auto number = node.text_of("PartNumber").value_or("");
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), claim.number);
    const auto etag = node.text_of("ETag");
    if (error != std::errc{} || end != number.data() + number.size() || !etag) {
      return malformed_xml();
    }
    claim.etag = ETag::from_wire(*etag).str();
    claim.checksum = node.text_of(checksum_element(upload.checksum_kind));
    if (!claims.empty() && claim.number <= claims.back().number) {
      return refuse(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.");
    }
    claims.push_back(std::move(claim));
  }
  if (claims.empty()) {
    return malformed_xml();
  }
  return claims;
}

std::unexpected<S3Error> invalid_part(const Upload& upload, const ClaimedPart& claim) {
  return refuse(S3Error{400, "InvalidPart",
                        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified "
                        "entity tag may not match the part's entity tag.",
                        {{"UploadId", upload.id}, {"PartNumber", std::to_string(claim.number)}, {"ETag", claim.etag}}, {}});
}

Outcome<std::vector<Part>> choose_parts(const Upload& upload, const std::vector<ClaimedPart>& claims) {
  std::vector<Part> parts;
  for (const auto& claim : claims) {
    const auto it = upload.parts.find(claim.number);
    if (it == upload.parts.end() || it->second.etag != claim.etag || (claim.checksum && *claim.checksum != it->second.checksum)) {
      return invalid_part(upload, claim);
    }
    if (upload.composite && !claim.checksum) {
      return invalid_request(fmt::format("The upload was created using a {} checksum. The complete request must include the checksum for "
                                         "each part. It was missing for part {} in the request.",
                                         checksum_name(upload.checksum_kind), claim.number));
    }
    parts.push_back(it->second);
  }
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].size < kPartBytesMin) {
      return refuse(S3Error{400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
                            {{"ETag", parts[i].etag}, {"MinSizeAllowed", std::to_string(kPartBytesMin)},
                             {"ProposedSize", std::to_string(parts[i].size)}, {"PartNumber", std::to_string(parts[i].number)}}, {}});
    }
  }
  return parts;
}

Object assemble(const Upload& upload, const std::vector<Part>& parts) {
  Object object;
  object.key = upload.key;
  object.description = upload.description;
  std::vector<std::string> etags;
  std::vector<PartChecksum> checksums;
  for (const auto& part : parts) {
    object.size += part.size;
    object.extents.insert(object.extents.end(), part.extents.begin(), part.extents.end());
    etags.push_back(part.etag);
    checksums.push_back({part.checksum, part.size});
  }
  object.etag = make_multipart_etag(etags);
  object.checksum.kind = upload.checksum_kind;
  object.checksum.composite = upload.composite;
  object.checksum.value =
      upload.composite ? composite_checksum(upload.checksum_kind, checksums) : combine_checksums(upload.checksum_kind, checksums);
  return object;
}

/// x-amz-checksum-*, x-amz-checksum-type and x-amz-mp-object-size speak of the whole object.
Outcome<void> check_whole(const Request& request, const Object& object) {
  const auto& headers = request.http.headers;
  if (const auto type = headers.find("x-amz-checksum-type"); type && *type != (object.checksum.composite ? "COMPOSITE" : "FULL_OBJECT")) {
    return invalid_request("The checksum type of the request does not match the one of the upload.");
  }
  for (const auto kind : kChecksumKinds) {
    const auto claimed = headers.find(checksum_header(kind));
    if (claimed && (kind != object.checksum.kind || *claimed != object.checksum.value)) {
      return refuse(400, "BadDigest", fmt::format("The {} you specified did not match the calculated checksum.", checksum_name(kind)));
    }
  }
  if (const auto size = headers.find("x-amz-mp-object-size"); size && *size != std::to_string(object.size)) {
    return invalid_request(fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}", *size,
                                       object.size));
  }
  return {};
}

Response completed(const Request& request, const Object& object) {
  XmlWriter xml;
  // S3 keeps a slow answer alive with white space before the result; clients must cope, so it is always there.
  xml.text(" \n \n");
  xml.open_root("CompleteMultipartUploadResult");
  xml.element("Location", fmt::format("http://{}{}", request.header("host"), request.resource()));
  xml.element("Bucket", request.bucket);
  xml.element("Key", request.key);
  xml.etag(object.etag);
  xml.element(checksum_element(object.checksum.kind), object.checksum.value);
  xml.element("ChecksumType", object.checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
  xml.close("CompleteMultipartUploadResult");
  auto response = xml_response(xml.take());
  add_encryption_headers(response, object.description);
  return response;
}

}  // namespace

Outcome<Response> complete_multipart_upload(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_write(request));
  S3_TRY(refuse_encryption_headers(request));
  S3_TRY_ASSIGN(const auto upload, bucket->find_upload(request.key, request.query_value("uploadId")));
  const auto guard = [&](const Object* present) { return check_write(request.http.headers, request.key, present); };
  S3_TRY_ASSIGN(const auto claims, read_claims(request, upload));
  S3_TRY_ASSIGN(const auto parts, choose_parts(upload, claims));
  auto object = assemble(upload, parts);
  S3_TRY(check_whole(request, object));
  object.last_modified = context.clock.now();
  S3_TRY_ASSIGN(const auto stored, bucket->complete_upload(upload.id, std::move(object), guard));
  return completed(request, *stored);
}

}  // namespace prefixfs::devs3
