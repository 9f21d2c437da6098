#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>

#include "prefixfs/base/random.h"

namespace prefixfs::test {

/// The seed of a random test: a new one for each run, or the one in PREFIXFS_TEST_SEED to repeat a failure. Prints it.
class Seed {
 public:
  Seed() : value_(choose()) { std::printf("[ SEED     ] PREFIXFS_TEST_SEED=%llu\n", static_cast<unsigned long long>(value_)); }
  std::uint64_t value() const { return value_; }
  std::mt19937_64 engine() const { return std::mt19937_64(value_); }

 private:
  static std::uint64_t choose() {
    const char* given = std::getenv("PREFIXFS_TEST_SEED");
    if (given != nullptr && *given != '\0') {
      return std::strtoull(given, nullptr, 0);
    }
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }

  std::uint64_t value_;
};

/// Random numbers that a seed repeats. Thread-safe; across threads the order is not repeated.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(const Seed& seed) : engine_(seed.engine()) {}
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace prefixfs::test
