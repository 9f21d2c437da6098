#include "checksum.h"

#include <fmt/format.h>

#include "crc32.h"
#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {
namespace {

struct Names {
  ChecksumKind kind;
  std::string_view name, header, element;
  std::size_t bytes;
};

constexpr std::array<Names, 5> kNames{{
    {ChecksumKind::crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    {ChecksumKind::crc32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    {ChecksumKind::crc32c, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {ChecksumKind::sha1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    {ChecksumKind::sha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
}};

const Names& names(ChecksumKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string base64_of(std::string_view raw) {
  return crypto::base64({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
}

std::string crc32_text(std::uint32_t crc) {
  const std::array<std::uint8_t, 4> bytes{static_cast<std::uint8_t>(crc >> 24), static_cast<std::uint8_t>(crc >> 16),
                                          static_cast<std::uint8_t>(crc >> 8), static_cast<std::uint8_t>(crc)};
  return crypto::base64(bytes);
}

std::uint32_t crc32_value(std::string_view text) {
  std::uint32_t crc = 0;
  for (const unsigned char c : crypto::from_base64(text).value_or(std::string(4, '\0'))) {
    crc = crc << 8 | c;
  }
  return crc;
}

class Crc64Hasher final : public ChecksumHasher {
 public:
  void update(std::span<const std::byte> data) override { crc_ = crypto::crc64nvme(crc_, data); }
  std::string finish() override { return crypto::crc64nvme_header(crc_); }

 private:
  std::uint64_t crc_ = 0;
};

class Crc32Hasher final : public ChecksumHasher {
 public:
  explicit Crc32Hasher(std::uint32_t polynomial) : polynomial_(polynomial) {}
  void update(std::span<const std::byte> data) override { crc_ = crc32(polynomial_, crc_, data); }
  std::string finish() override { return crc32_text(crc_); }

 private:
  std::uint32_t polynomial_;
  std::uint32_t crc_ = 0;
};

class ShaHasher final : public ChecksumHasher {
 public:
  explicit ShaHasher(crypto::Hasher::Kind kind) : hasher_(kind) {}
  void update(std::span<const std::byte> data) override { hasher_.update(data); }
  std::string finish() override { return base64_of(hasher_.finish()); }

 private:
  crypto::Hasher hasher_;
};

}  // namespace

std::string_view checksum_name(ChecksumKind kind) { return names(kind).name; }
std::string_view checksum_header(ChecksumKind kind) { return names(kind).header; }
std::string_view checksum_element(ChecksumKind kind) { return names(kind).element; }
bool is_crc(ChecksumKind kind) { return kind != ChecksumKind::sha1 && kind != ChecksumKind::sha256; }

std::optional<ChecksumKind> checksum_kind(std::string_view name) {
  for (const auto& known : kNames) {
    if (known.name == name) {
      return known.kind;
    }
  }
  return std::nullopt;
}

bool is_well_formed(ChecksumKind kind, std::string_view value) {
  const auto raw = crypto::from_base64(value);
  return raw && raw->size() == names(kind).bytes;
}

std::unique_ptr<ChecksumHasher> ChecksumHasher::create(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::crc32: return std::make_unique<Crc32Hasher>(kCrc32);
    case ChecksumKind::crc32c: return std::make_unique<Crc32Hasher>(kCrc32c);
    case ChecksumKind::sha1: return std::make_unique<ShaHasher>(crypto::Hasher::Kind::sha1);
    case ChecksumKind::sha256: return std::make_unique<ShaHasher>(crypto::Hasher::Kind::sha256);
    case ChecksumKind::crc64nvme: break;
  }
  return std::make_unique<Crc64Hasher>();
}

std::string combine_checksums(ChecksumKind kind, const std::vector<PartChecksum>& parts) {
  if (kind == ChecksumKind::crc64nvme) {
    std::uint64_t crc = 0;
    for (const auto& part : parts) {
      crc = crypto::crc64nvme_combine(crc, crypto::crc64nvme_from_header(part.value).value_or(0), part.length);
    }
    return crypto::crc64nvme_header(crc);
  }
  const auto polynomial = kind == ChecksumKind::crc32c ? kCrc32c : kCrc32;
  std::uint32_t crc = 0;
  for (const auto& part : parts) {
    crc = crc32_combine(polynomial, crc, crc32_value(part.value), part.length);
  }
  return crc32_text(crc);
}

std::string composite_checksum(ChecksumKind kind, const std::vector<PartChecksum>& parts) {
  const auto hasher = ChecksumHasher::create(kind);
  for (const auto& part : parts) {
    const auto raw = crypto::from_base64(part.value).value_or(std::string());
    hasher->update(std::as_bytes(std::span(raw)));
  }
  return fmt::format("{}-{}", hasher->finish(), parts.size());
}

}  // namespace prefixfs::devs3
