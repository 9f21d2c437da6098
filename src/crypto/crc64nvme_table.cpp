#include <array>
#include <bit>
#include <cstring>

#include "crc64nvme_math.h"
#include "crc64nvme_paths.h"

namespace prefixfs::crypto {
namespace {

using Table = std::array<std::uint64_t, 256>;

/// tables[n][b]: what byte b does to the register when n bytes follow it within the step.
constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t state = byte;
    for (int bit = 0; bit < 8; ++bit) {
      state = times_x(state);
    }
    tables[0][byte] = state;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[n - 1][byte];
      tables[n][byte] = before >> 8 ^ tables[0][before & 255];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

std::uint64_t load_little_endian(const std::byte* data) {
  std::uint64_t value = 0;
  std::memcpy(&value, data, sizeof(value));
  return std::endian::native == std::endian::little ? value : __builtin_bswap64(value);
}

}  // namespace

std::uint64_t crc64nvme_table(std::uint64_t state, std::span<const std::byte> data) {
  for (; data.size() >= 8; data = data.subspan(8)) {
    const std::uint64_t word = state ^ load_little_endian(data.data());
    state = kTables[7][word & 255] ^ kTables[6][word >> 8 & 255] ^ kTables[5][word >> 16 & 255] ^ kTables[4][word >> 24 & 255] ^
            kTables[3][word >> 32 & 255] ^ kTables[2][word >> 40 & 255] ^ kTables[1][word >> 48 & 255] ^ kTables[0][word >> 56];
  }
  for (const std::byte byte : data) {
    state = state >> 8 ^ kTables[0][(state ^ std::to_integer<std::uint64_t>(byte)) & 255];
  }
  return state;
}

}  // namespace prefixfs::crypto
