#pragma once
// CRC-64/NVME, S3's default checksum: polynomial 0xad93d23594c93659, reflected, check("123456789") = 0xae8b14860a799888.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <optional>

namespace prefixfs::crypto {

/// The CRC of the bytes so far followed by `data`; start with `crc` = 0. Chooses the fastest way the processor has.
std::uint64_t crc64nvme(std::uint64_t crc, std::span<const std::byte> data);
/// The CRC of A followed by B, from the CRCs of both and the length of B in bytes.
std::uint64_t crc64nvme_combine(std::uint64_t crc_a, std::uint64_t crc_b, std::uint64_t length_b);
/// x-amz-checksum-crc64nvme: base64 of the 8 bytes, most significant first.
std::string crc64nvme_header(std::uint64_t crc);
std::optional<std::uint64_t> crc64nvme_from_header(std::string_view text);

}  // namespace prefixfs::crypto
