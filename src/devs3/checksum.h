#pragma once
// The x-amz-checksum-* family (S3 User Guide, "Checking object integrity").

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace prefixfs::devs3 {

enum class ChecksumKind { crc64nvme, crc32, crc32c, sha1, sha256 };
inline constexpr std::array kChecksumKinds{ChecksumKind::crc64nvme, ChecksumKind::crc32, ChecksumKind::crc32c, ChecksumKind::sha1,
                                           ChecksumKind::sha256};

std::string_view checksum_name(ChecksumKind kind);     ///< "CRC64NVME"
std::string_view checksum_header(ChecksumKind kind);   ///< "x-amz-checksum-crc64nvme"
std::string_view checksum_element(ChecksumKind kind);  ///< "ChecksumCRC64NVME"
std::optional<ChecksumKind> checksum_kind(std::string_view name);  ///< from "CRC64NVME"
bool is_crc(ChecksumKind kind);

/// A stored checksum. A composite one is the checksum of the parts' checksums, written "...-N".
struct Checksum {
  ChecksumKind kind = ChecksumKind::crc64nvme;
  std::string value;  ///< base64, as in the header
  bool composite = false;
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

/// Whether `value` is base64 of the right number of bytes.
bool is_well_formed(ChecksumKind kind, std::string_view value);

/// Computes one checksum over bytes that arrive in pieces.
class ChecksumHasher {
 public:
  virtual ~ChecksumHasher() = default;
  virtual void update(std::span<const std::byte> data) = 0;
  virtual std::string finish() = 0;  ///< base64
  static std::unique_ptr<ChecksumHasher> create(ChecksumKind kind);
};

/// One part of a multipart upload: its checksum and its length in bytes.
struct PartChecksum {
  std::string value;
  std::uint64_t length = 0;
};

/// The full-object checksum from those of the parts; for the CRCs only.
std::string combine_checksums(ChecksumKind kind, const std::vector<PartChecksum>& parts);
/// The composite checksum, with "-N".
std::string composite_checksum(ChecksumKind kind, const std::vector<PartChecksum>& parts);

}  // namespace prefixfs::devs3
