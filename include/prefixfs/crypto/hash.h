#pragma once
// Hashes. The only module that links OpenSSL's libcrypto.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace prefixfs::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Md5Digest = std::array<std::uint8_t, 16>;

Sha256Digest sha256(std::span<const std::byte> data);
Sha256Digest sha256(std::string_view text);
Sha256Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view text);
Md5Digest md5(std::span<const std::byte> data);
std::array<std::uint8_t, 20> sha1(std::string_view text);  ///< only for the names of SSO cache files
/// Compares in constant time.
bool equal_secret(std::string_view a, std::string_view b);

/// Hashes what arrives in pieces. One thread at a time.
class Hasher {
 public:
  enum class Kind { sha256, md5, sha1 };
  explicit Hasher(Kind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::span<const std::byte> data);
  /// Raw bytes; the hasher cannot be used afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace prefixfs::crypto
