#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace prefixfs::devs3 {

inline constexpr std::uint32_t kCrc32 = 0xedb88320;   ///< reflected polynomial of CRC-32 (zlib)
inline constexpr std::uint32_t kCrc32c = 0x82f63b78;  ///< reflected polynomial of CRC-32C (Castagnoli)

/// The CRC of the bytes so far followed by `data`; start with 0.
std::uint32_t crc32(std::uint32_t polynomial, std::uint32_t crc, std::span<const std::byte> data);
/// The CRC of A followed by B from the CRCs of both and the length of B in bytes.
std::uint32_t crc32_combine(std::uint32_t polynomial, std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b);

}  // namespace prefixfs::devs3
