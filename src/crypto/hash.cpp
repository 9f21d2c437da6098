#include "prefixfs/crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdio>
#include <cstdlib>

namespace prefixfs::crypto {
namespace {

// These calls fail only where OpenSSL lacks the algorithm (a broken or restricted installation) or memory is gone. A wrong digest
// would sign requests wrongly or pass damaged data as sound, so the process ends and says why.
void require(bool worked, const char* what) {
  if (!worked) {
    std::fprintf(stderr, "prefixfs: OpenSSL cannot compute %s\n", what);
    std::abort();
  }
}

struct Algorithm {
  const EVP_MD* digest;
  const char* name;
};

// Fetched once for the process and never freed; a fetched algorithm is immutable and shared by all threads.
// Looking it up for each hash costs more than hashing a short text (OpenSSL 3, crypto(7), "Explicit fetching").
Algorithm fetch(const char* name, const char* properties) {
  const EVP_MD* digest = EVP_MD_fetch(nullptr, name, properties);
  require(digest != nullptr, name);
  return {digest, name};
}

const Algorithm& algorithm(Hasher::Kind kind) {
  // MD5 and SHA-1 name things and guard against accidents here, they protect no secret: also for machines in FIPS mode.
  constexpr const char* kAlsoOutsideFips = "-fips";
  static const Algorithm sha256 = fetch("SHA256", nullptr);
  static const Algorithm md5 = fetch("MD5", kAlsoOutsideFips);
  static const Algorithm sha1 = fetch("SHA1", kAlsoOutsideFips);
  switch (kind) {
    case Hasher::Kind::md5: return md5;
    case Hasher::Kind::sha1: return sha1;
    case Hasher::Kind::sha256: break;
  }
  return sha256;
}

template <class Digest>
Digest digest_of(Hasher::Kind kind, const void* data, std::size_t size) {
  const Algorithm& chosen = algorithm(kind);
  Digest digest{};
  unsigned length = 0;
  require(EVP_Digest(data, size, digest.data(), &length, chosen.digest, nullptr) == 1 && length == digest.size(), chosen.name);
  return digest;
}

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return hmac;
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

Sha256Digest sha256(std::span<const std::byte> data) { return digest_of<Sha256Digest>(Hasher::Kind::sha256, data.data(), data.size()); }

Sha256Digest sha256(std::string_view text) { return digest_of<Sha256Digest>(Hasher::Kind::sha256, text.data(), text.size()); }

Md5Digest md5(std::span<const std::byte> data) { return digest_of<Md5Digest>(Hasher::Kind::md5, data.data(), data.size()); }

std::array<std::uint8_t, 20> sha1(std::string_view text) {
  return digest_of<std::array<std::uint8_t, 20>>(Hasher::Kind::sha1, text.data(), text.size());
}

Sha256Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view text) {
  EVP_MAC* const hmac = hmac_algorithm();
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac));
  require(context != nullptr, "HMAC");
  char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0), OSSL_PARAM_construct_end()};
  constexpr std::uint8_t kNoKey = 0;  // a null pointer would mean "keep the key of before"
  Sha256Digest digest{};
  std::size_t length = 0;
  require(EVP_MAC_init(context.get(), key.empty() ? &kNoKey : key.data(), key.size(), parameters) == 1 &&
              EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
              EVP_MAC_final(context.get(), digest.data(), &length, digest.size()) == 1 && length == digest.size(),
          "HMAC-SHA256");
  return digest;
}

// The lengths are no secret: they are the lengths of digests.
bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Hasher::State {
  std::unique_ptr<EVP_MD_CTX, FreeDigest> context;
  const char* name;
};

Hasher::Hasher(Kind kind) {
  const Algorithm& chosen = algorithm(kind);
  state_ = std::make_unique<State>(State{std::unique_ptr<EVP_MD_CTX, FreeDigest>(EVP_MD_CTX_new()), chosen.name});
  require(state_->context && EVP_DigestInit_ex2(state_->context.get(), chosen.digest, nullptr) == 1, chosen.name);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> data) {
  require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1, state_->name);
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) == 1, state_->name);
  return std::string(digest.begin(), digest.begin() + length);
}

}  // namespace prefixfs::crypto
