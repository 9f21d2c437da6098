#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "checksum.h"
#include "prefixfs/crypto/hash.h"
#include "request.h"

namespace prefixfs::devs3 {

/// Every hash that a request's body is held against, computed while it streams by.
class Digests {
 public:
  /// `kind`: the checksum to compute; nothing: none.
  Digests(const Request& request, std::optional<ChecksumKind> kind);
  void update(std::span<const std::byte> data);
  /// Call once at the end. XAmzContentSHA256Mismatch, BadDigest. `promised`: the checksum from a trailer, where it came in one.
  Outcome<void> verify(const Request& request, const std::optional<std::string>& promised);
  const std::string& md5() const { return md5_value_; }            ///< raw, after verify()
  const std::string& checksum() const { return checksum_value_; }  ///< base64, after verify()

 private:
  std::optional<crypto::Hasher> sha256_;
  crypto::Hasher md5_;
  std::optional<ChecksumKind> kind_;
  std::unique_ptr<ChecksumHasher> checksum_;
  std::string md5_value_;
  std::string checksum_value_;
};

/// The checksum which the headers promise, in a header or in a trailer; nothing where they promise none. InvalidRequest.
Outcome<std::optional<ChecksumKind>> announced_checksum(const Headers& headers);
/// Content-MD5 decoded; InvalidDigest. Nothing without the header.
Outcome<std::optional<std::string>> announced_md5(const Headers& headers);

}  // namespace prefixfs::devs3
