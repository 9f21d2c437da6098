#pragma once
// Polynomials over GF(2) modulo that of CRC-64/NVME. Bits are reflected: bit 63 is the coefficient of x^0.

#include <cstdint>

namespace prefixfs::crypto {

/// 0xad93d23594c93659 with its bits reversed.
inline constexpr std::uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5;
inline constexpr std::uint64_t kPolynomialOne = std::uint64_t{1} << 63;

constexpr std::uint64_t times_x(std::uint64_t a) { return (a & 1) != 0 ? (a >> 1) ^ kCrc64NvmePolynomial : a >> 1; }

constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & kPolynomialOne) != 0) {
      product ^= b;
    }
    b = times_x(b);
  }
  return product;
}

constexpr std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = kPolynomialOne;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) {
      result = multiply(result, base);
    }
    base = multiply(base, base);
  }
  return result;
}

/// x^n modulo the polynomial.
constexpr std::uint64_t x_to_the(std::uint64_t n) { return power(times_x(kPolynomialOne), n); }

/// What the two halves of a 128-bit register are multiplied with to move them `bits` further along the message. A carry-less
/// product of reflected values comes out one bit low (hence -1), and the lower half of the register stands 64 bits earlier in the
/// message, that is 64 powers higher (hence +63). Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using
/// PCLMULQDQ Instruction", Intel, 2009.
struct FoldKeys {
  std::uint64_t low;
  std::uint64_t high;
};
constexpr FoldKeys fold_keys(unsigned bits) { return {x_to_the(bits + 63), x_to_the(bits - 1)}; }

}  // namespace prefixfs::crypto
