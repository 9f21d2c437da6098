#include "prefixfs/s3/own_write.h"

#include <fmt/format.h>

#include "digests.h"
#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::s3 {

namespace {

std::string hex_of(std::string_view raw) {
  return crypto::hex(std::span(reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()));
}

}  // namespace

bool is_unclear(const Error& error) {
  if (!retryable(error.code) || error.origin.not_sent) {
    return false;
  }
  // SlowDown and its like are said before the work; a bare 503 may come from a gateway that gave up waiting. Of a request that libcurl has sent
  // twice, the answer is that to the second one, and the first may have done the work.
  const bool refused_at_once = error.code == Errc::throttled && !error.origin.sent_twice && (error.origin.http_status == 429 || !error.origin.s3_code.empty());
  return !refused_at_once;
}

Result<bool> is_body(const ObjectInfo& info, const BodySource& body, const ObjectHeaders& headers, const CallContext& context) {
  if (info.size != body.size() || info.user_metadata != headers.user_metadata) {
    return false;
  }
  TRY_ASSIGN(const Digests digests, digest_body(body, {.crc64nvme = true, .md5 = !info.crc64nvme, .sha256 = false}, context));
  return info.crc64nvme ? *info.crc64nvme == digests.crc64nvme : info.etag.str() == hex_of(digests.md5);
}

bool is_assembled(const ObjectInfo& info, std::span<const UploadedPart> parts) {
  std::uint64_t size = 0;
  std::optional<std::uint64_t> crc = 0;
  for (const UploadedPart& part : parts) {
    size += part.size;
    crc = crc && part.crc64nvme ? std::optional(crypto::crc64nvme_combine(*crc, *part.crc64nvme, part.size)) : std::nullopt;
  }
  if (info.size != size) {
    return false;
  }
  return (crc && info.crc64nvme && *crc == *info.crc64nvme) || info.etag.str() == multipart_etag(parts);
}

bool is_copy(const ObjectInfo& info, const ObjectInfo& source, const std::optional<ObjectHeaders>& replace) {
  const UserMetadata& metadata = replace ? replace->user_metadata : source.user_metadata;
  if (info.size != source.size || info.user_metadata != metadata) {
    return false;
  }
  const bool same_crc = info.crc64nvme && source.crc64nvme && *info.crc64nvme == *source.crc64nvme;
  return same_crc || info.etag == source.etag;
}

std::string multipart_etag(std::span<const UploadedPart> parts) {
  std::string digests;
  for (const UploadedPart& part : parts) {
    const auto raw = crypto::from_hex(part.etag.str());
    if (!raw || raw->size() != crypto::Md5Digest{}.size()) {
      return {};
    }
    digests += *raw;
  }
  return fmt::format("{}-{}", crypto::hex(crypto::md5(std::as_bytes(std::span(digests.data(), digests.size())))), parts.size());
}

}  // namespace prefixfs::s3
