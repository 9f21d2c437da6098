#include "digests.h"

#include <algorithm>
#include <vector>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::s3 {

Result<Digests> digest_body(const BodySource& body, WantedDigests wanted, const CallContext& context) {
  constexpr std::uint64_t kPieceBytes = 64U << 10;  // stays near the processor from one digest to the next
  Digests digests;
  std::optional<crypto::Hasher> md5;
  std::optional<crypto::Hasher> sha256;
  if (wanted.md5) {
    md5.emplace(crypto::Hasher::Kind::md5);
  }
  if (wanted.sha256) {
    sha256.emplace(crypto::Hasher::Kind::sha256);
  }
  const std::uint64_t size = wanted.crc64nvme || wanted.md5 || wanted.sha256 ? body.size() : 0;
  std::vector<std::byte> buffer(std::min(size, kPieceBytes));
  for (std::uint64_t at = 0; at < size; at += kPieceBytes) {
    if (context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "cancelled while the checksum of the body was computed");
    }
    const auto piece = std::span(buffer).first(std::min(kPieceBytes, size - at));
    TRY(body.read_at(at, piece));
    if (wanted.crc64nvme) {
      digests.crc64nvme = crypto::crc64nvme(digests.crc64nvme, piece);
    }
    if (md5) {
      md5->update(piece);
    }
    if (sha256) {
      sha256->update(piece);
    }
  }
  digests.md5 = md5 ? md5->finish() : "";
  digests.sha256 = sha256 ? sha256->finish() : "";
  return digests;
}

}  // namespace prefixfs::s3
