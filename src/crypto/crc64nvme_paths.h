#pragma once
// The ways to run the CRC register over bytes. The register is the CRC before its final inversion; all ways give the same.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace prefixfs::crypto {

using Crc64Path = std::uint64_t (*)(std::uint64_t state, std::span<const std::byte> data);

/// Any processor: eight tables, eight bytes a step.
std::uint64_t crc64nvme_table(std::uint64_t state, std::span<const std::byte> data);
#if defined(__x86_64__)
/// Needs PCLMULQDQ: 128 bytes a step.
std::uint64_t crc64nvme_pclmul(std::uint64_t state, std::span<const std::byte> data);
/// Needs AVX-512 and VPCLMULQDQ: 256 bytes a step.
std::uint64_t crc64nvme_vpclmul(std::uint64_t state, std::span<const std::byte> data);
#endif

/// The ways that this processor can go, the fastest last.
std::vector<Crc64Path> crc64nvme_paths();

}  // namespace prefixfs::crypto
