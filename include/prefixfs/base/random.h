#pragma once

#include <cstdint>

namespace prefixfs {

/// Thread-safe. Tests pass a seeded one and print the seed.
class Random {
 public:
  virtual ~Random() = default;
  /// Uniform over all 64 bits.
  virtual std::uint64_t next() = 0;
};

/// From the kernel (getrandom).
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace prefixfs
