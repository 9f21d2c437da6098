// Multipart uploads: create, parts, complete, abort.

#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "s3_client.h"
#include "xml_writer.h"

namespace prefixfs::s3 {

namespace {

Result<void> check_part(const Key& key, int number, const BodySource& body) {
  if (number < 1 || number > kPartsMax) {
    return fail(Errc::invalid, fmt::format("UploadPart of '{}': S3 numbers parts from 1 to {}, not {}", key.str(), kPartsMax, number));
  }
  if (body.size() > kPartBytesMax) {
    return fail(Errc::too_large, fmt::format("UploadPart of '{}': {} bytes are more than the 5 GiB of one part", key.str(), body.size()));
  }
  return {};
}

/// Of the whole object; nothing when one part's is not known.
std::optional<std::uint64_t> combined_crc(std::span<const UploadedPart> parts) {
  std::uint64_t crc = 0;
  for (const UploadedPart& part : parts) {
    if (!part.crc64nvme) {
      return std::nullopt;
    }
    crc = crypto::crc64nvme_combine(crc, *part.crc64nvme, part.size);
  }
  return crc;
}

Result<void> check_parts(const Key& key, std::span<const UploadedPart> parts) {
  if (parts.empty() || parts.size() > static_cast<std::size_t>(kPartsMax)) {
    return fail(Errc::invalid, fmt::format("CompleteMultipartUpload of '{}' with {} parts", key.str(), parts.size()));
  }
  std::uint64_t size = 0;
  int before = 0;
  for (const UploadedPart& part : parts) {
    if (part.number <= before || part.etag.empty()) {
      return fail(Errc::invalid, fmt::format("CompleteMultipartUpload of '{}': part {} after part {}", key.str(), part.number, before));
    }
    before = part.number;
    size += part.size;
  }
  if (size > kObjectBytesMax) {
    return fail(Errc::too_large, fmt::format("CompleteMultipartUpload of '{}': {} bytes are more than an object can have",
                                             key.str(), size));
  }
  return {};
}

/// The answer begins before the work is done, and its end tells how it went (S3 API, CompleteMultipartUpload).
Result<CompleteResult> read_complete(const Exchange& exchange, const Call& call, const http::Response& response) {
  if (read_error_document(response.body)) {
    return fail(exchange.error_of(call, response));
  }
  auto result = read_complete_result(response.body);
  if (!result) {
    Error error = exchange.error_of(call, response);
    error.code = Errc::unavailable;
    error.what = fmt::format("{} of '{}': {}", call.operation, call.key.str(), result.error().what);
    return fail(std::move(error));
  }
  return result;
}

}  // namespace

Result<UploadId> S3Client::create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) {
  if (key.empty()) {
    return fail(Errc::invalid, "CreateMultipartUpload needs a key");
  }
  ObjectHeaders wanted = headers;
  auto upload = create_described(key, wanted, context);
  while (!upload && leaves_away(wanted, upload.error())) {
    upload = create_described(key, wanted, context);
  }
  return upload;
}

Result<UploadId> S3Client::create_described(const Key& key, const ObjectHeaders& headers, const CallContext& context) {
  TRY_ASSIGN(Headers described, headers_to_write(headers));
  add_tagging(headers, described);
  add_known_grants(headers.grants, described);
  Call call{"CreateMultipartUpload", "POST", key, {{"uploads", ""}}, described};
  if (known().multipart_checksums()) {
    call.headers.push_back({"x-amz-checksum-algorithm", "CRC64NVME"});
    call.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  }
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  return read_initiate_result(response.body);
}

Result<UploadedPart> S3Client::upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                           const CallContext& context) {
  TRY(check_part(key, number, body));
  const bool with_crc = known().multipart_checksums();
  auto part = upload_part_once(key, upload, number, body, with_crc, context);
  if (!part && with_crc && refuses_checksum(part.error())) {  // the upload was made before the endpoint said who it is
    part = upload_part_once(key, upload, number, body, false, context);
  }
  return part;
}

Result<UploadedPart> S3Client::upload_part_once(const Key& key, const UploadId& upload, int number, const BodySource& body, bool with_crc,
                                                const CallContext& context) {
  TRY_ASSIGN(const Digests digests, digest(body, with_crc, context));
  Call call{"UploadPart", "PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", upload}}, {}, &body, digests.sha256};
  call.headers.push_back(checksum_header(digests, with_crc));
  call.answer_timeout = std::chrono::seconds(30);
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  UploadedPart part{number, ETag::from_wire(response.header("etag").value_or("")), body.size(), std::nullopt};
  if (part.etag.empty()) {
    return fail(Errc::corrupt, fmt::format("UploadPart {} of '{}': the answer has no ETag", number, key.str()));
  }
  if (with_crc) {
    TRY_ASSIGN(part.crc64nvme, compare_echo(call, digests.crc64nvme, response));
  }
  return part;
}

Result<PutAnswer> S3Client::complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                            const WriteCondition& condition, const CallContext& context) {
  TRY(check_parts(key, parts));
  const std::optional<std::uint64_t> crc = known().multipart_checksums() ? combined_crc(parts) : std::nullopt;
  const std::string xml = write_complete_request(parts, crc.has_value());
  const SpanSource body(std::as_bytes(std::span(xml.data(), xml.size())));
  Call call{"CompleteMultipartUpload", "POST", key, {{"uploadId", upload}}, {{"content-type", "application/xml"}}, &body};
  call.answer_timeout = std::chrono::seconds(120);
  call.patient = true;
  if (crc) {
    call.headers.push_back({"x-amz-checksum-crc64nvme", crypto::crc64nvme_header(*crc)});
    call.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  }
  const auto response = send_conditional(call, condition, &Capabilities::conditional_put, context);
  if (!response) {
    Error error = response.error();
    if (condition.kind == WriteCondition::Kind::match && error.code == Errc::not_found &&
        (error.origin.s3_code == "NoSuchKey" || error.origin.missing_right == "s3:ListBucket")) {
      error.code = Errc::conflict;  // If-Match on an object that is gone
    }
    return fail(std::move(error));
  }
  TRY_ASSIGN(const CompleteResult result, read_complete(exchange_, call, *response));
  if (crc && result.crc64nvme && *crc != *result.crc64nvme) {
    return fail(Errc::corrupt, fmt::format("CompleteMultipartUpload of '{}': S3 has put together bytes with another checksum", key.str()));
  }
  return PutAnswer{result.etag, std::string(response->header("x-amz-version-id").value_or("")), crc ? crc : result.crc64nvme};
}

Result<void> S3Client::abort_upload(const Key& key, const UploadId& upload, const CallContext& context) {
  const auto response = exchange_.send(Call{"AbortMultipartUpload", "DELETE", key, {{"uploadId", upload}}}, nullptr, context);
  if (!response && response.error().origin.s3_code != "NoSuchUpload") {
    return fail(response.error());
  }
  return {};
}

}  // namespace prefixfs::s3
