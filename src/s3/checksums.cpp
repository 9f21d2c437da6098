// CRC64NVME where the endpoint knows it, Content-MD5 where it does not.

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "s3_client.h"

namespace prefixfs::s3 {

bool S3Client::wants_crc() const { return exchange_.capabilities().get(&Capabilities::crc64nvme) != Support::no; }

Result<Digests> S3Client::digest(const BodySource& body, bool with_crc, const CallContext& context) const {
  const SteadyTime began = exchange_.clock().steady();
  auto digests = digest_body(body, {.crc64nvme = with_crc, .md5 = !with_crc, .sha256 = exchange_.signs_payload()}, context);
  if (context.moving != nullptr) {  // on a busy host 64 MiB take seconds, which are no outage of S3
    context.moving->postpone(exchange_.clock().steady() - began);
  }
  return digests;
}

http::Header S3Client::checksum_header(const Digests& digests, bool with_crc) const {
  if (with_crc) {
    return {"x-amz-checksum-crc64nvme", crypto::crc64nvme_header(digests.crc64nvme)};
  }
  return {"content-md5", crypto::base64(std::span(reinterpret_cast<const std::uint8_t*>(digests.md5.data()), digests.md5.size()))};
}

Result<std::optional<std::uint64_t>> S3Client::compare_echo(const Call& call, std::uint64_t sent, const http::Response& response) const {
  const auto header = response.header("x-amz-checksum-crc64nvme");
  if (!header) {
    return std::nullopt;
  }
  const auto echoed = crypto::crc64nvme_from_header(*header);
  if (!echoed || *echoed != sent) {
    Error error{Errc::corrupt, fmt::format("{} of '{}': the endpoint has stored bytes with another checksum than those sent",
                                           call.operation, call.key.str()), {}};
    error.origin.operation = call.operation;
    error.origin.key = call.key.str();
    error.origin.http_status = response.status;
    error.origin.attempt = 1;
    return fail(std::move(error));
  }
  return echoed;
}

bool S3Client::refuses_checksum(const Error& error) {
  const int status = error.origin.http_status;
  if ((status != 400 && status != 501) || error.code == Errc::unavailable) {
    return false;
  }
  std::string words = error.what + error.origin.s3_code;
  std::transform(words.begin(), words.end(), words.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return status == 501 || words.find("checksum") != std::string::npos || words.find("crc64") != std::string::npos;
}

bool S3Client::learn_from_refusal(const Error& error) {
  if (known().get(&Capabilities::crc64nvme) == Support::yes || !refuses_checksum(error)) {
    return false;
  }
  known().learn(&Capabilities::crc64nvme, Support::no);
  return true;
}

}  // namespace prefixfs::s3
