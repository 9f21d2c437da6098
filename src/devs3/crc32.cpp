#include "crc32.h"

#include <array>

namespace prefixfs::devs3 {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables(std::uint32_t polynomial) {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
    }
    tables[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) {
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables(kCrc32);
constexpr Tables kTablesC = make_tables(kCrc32c);

/// a * b modulo the polynomial, in the reflected form, where bit 31 is x^0.
std::uint32_t multiply(std::uint32_t polynomial, std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) {
      product ^= b;
    }
    b = (b & 1) != 0 ? (b >> 1) ^ polynomial : b >> 1;
  }
  return product;
}

}  // namespace

std::uint32_t crc32(std::uint32_t polynomial, std::uint32_t crc, std::span<const std::byte> data) {
  const Tables& t = polynomial == kCrc32c ? kTablesC : kTables;
  const auto* p = reinterpret_cast<const std::uint8_t*>(data.data());
  std::size_t left = data.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, p += 8) {  // slicing by 8: eight table look-ups per round, independent of each other
    const std::uint32_t low = crc ^ (p[0] | p[1] << 8 | p[2] << 16 | static_cast<std::uint32_t>(p[3]) << 24);
    crc = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^
          t[0][p[7]];
  }
  for (; left > 0; --left, ++p) {
    crc = (crc >> 8) ^ t[0][(crc ^ *p) & 0xff];
  }
  return ~crc;
}

std::uint32_t crc32_combine(std::uint32_t polynomial, std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) {
  // crc(A B) = crc(A) * x^(8 * length_b) + crc(B); the power by repeated squaring, starting from x^8.
  std::uint32_t power = 1u << 31;
  std::uint32_t square = 1u << 23;
  for (; length_b != 0; length_b >>= 1) {
    if ((length_b & 1) != 0) {
      power = multiply(polynomial, square, power);
    }
    square = multiply(polynomial, square, square);
  }
  return multiply(polynomial, power, crc_a) ^ crc_b;
}

}  // namespace prefixfs::devs3
