#include "extent_digest.h"

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {

Outcome<ExtentDigest> digest_extents(const std::vector<Extent>& extents, ChecksumKind kind, Md5 with_md5) {
  crypto::Hasher md5(crypto::Hasher::Kind::md5);
  const auto checksum = ChecksumHasher::create(kind);
  const auto done = for_each_block(extents, [&](std::span<const std::byte> block) -> Result<void> {
    if (with_md5 == Md5::compute) {
      md5.update(block);
    }
    checksum->update(block);
    return {};
  });
  if (!done) {
    return internal_error(done.error());
  }
  return ExtentDigest{with_md5 == Md5::compute ? md5.finish() : std::string(), checksum->finish()};
}

std::string make_etag(const std::string& md5, const Description& description, Random& random) {
  return description.sse == "AES256" ? hex_text(md5) : fmt::format("{:016x}{:016x}", random.next(), random.next());
}

std::string make_multipart_etag(const std::vector<std::string>& part_etags) {
  crypto::Hasher md5(crypto::Hasher::Kind::md5);
  for (const auto& etag : part_etags) {
    const auto raw = crypto::from_hex(etag).value_or(etag);
    md5.update(std::as_bytes(std::span(raw)));
  }
  return fmt::format("{}-{}", hex_text(md5.finish()), part_etags.size());
}

std::string hex_text(std::string_view raw) {
  return crypto::hex({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
}

}  // namespace prefixfs::devs3
