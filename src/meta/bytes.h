#pragma once
// Numbers as the bytes of records: little-endian in values, big-endian in keys.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "prefixfs/base/clock.h"

namespace prefixfs::meta {

inline void append_key_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(number >> shift));
  }
}

/// The caller has made sure that 8 bytes are there.
inline std::uint64_t key_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(0, 8)) {
    number = number << 8 | static_cast<std::uint8_t>(c);
  }
  return number;
}

template <std::unsigned_integral T>
void append(std::string& out, T number) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i)));
  }
}

inline void append_time(std::string& out, WallTime time) { append(out, static_cast<std::uint64_t>(time.time_since_epoch().count())); }

/// Takes numbers off the front; the caller has checked the length.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <std::unsigned_integral T>
  T number() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  WallTime time() { return WallTime(std::chrono::nanoseconds(signed_number())); }
  std::string_view text(std::size_t length) {
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

}  // namespace prefixfs::meta
