#include "prefixfs/crypto/crc64nvme.h"

#include <array>

#include "crc64nvme_math.h"
#include "crc64nvme_paths.h"
#include "prefixfs/crypto/encoding.h"

namespace prefixfs::crypto {

std::vector<Crc64Path> crc64nvme_paths() {
  std::vector<Crc64Path> paths = {crc64nvme_table};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    paths.push_back(crc64nvme_pclmul);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq")) {
      paths.push_back(crc64nvme_vpclmul);
    }
  }
#endif
  return paths;
}

std::uint64_t crc64nvme(std::uint64_t crc, std::span<const std::byte> data) {
  static const Crc64Path fastest = crc64nvme_paths().back();
  return ~fastest(~crc, data);
}

// Appending bytes to A multiplies its register by x^8 for each; the inversions at both ends cancel out.
std::uint64_t crc64nvme_combine(std::uint64_t crc_a, std::uint64_t crc_b, std::uint64_t length_b) {
  constexpr std::uint64_t kOneByte = x_to_the(8);
  return multiply(power(kOneByte, length_b), crc_a) ^ crc_b;
}

std::string crc64nvme_header(std::uint64_t crc) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(crc >> (56 - 8 * i));
  }
  return base64(bytes);
}

std::optional<std::uint64_t> crc64nvme_from_header(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  std::uint64_t crc = 0;
  for (const char byte : *bytes) {
    crc = crc << 8 | static_cast<unsigned char>(byte);
  }
  return crc;
}

}  // namespace prefixfs::crypto
