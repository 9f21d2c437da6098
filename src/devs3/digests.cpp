#include "digests.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::devs3 {
namespace {



std::string hex_of(std::string_view raw) { return crypto::hex({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()}); }
std::string base64_of(std::string_view raw) { return crypto::base64({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()}); }

bool is_signed_hash(std::string_view payload) { return payload != kUnsignedPayload && !payload.starts_with("STREAMING-"); }

bool is_setting(std::string_view name) {
  return name == "x-amz-checksum-algorithm" || name == "x-amz-checksum-type" || name == "x-amz-checksum-mode";
}

std::optional<ChecksumKind> kind_of_header(std::string_view name) {
  const auto it = std::ranges::find(kChecksumKinds, name, checksum_header);
  return it == kChecksumKinds.end() ? std::nullopt : std::optional(*it);
}

}  // namespace

Outcome<std::optional<ChecksumKind>> announced_checksum(const Headers& headers) {
  std::optional<ChecksumKind> found;
  std::vector<Header> named;
  for (const auto& header : headers.all()) {
    if (header.name.starts_with("x-amz-checksum-") && !is_setting(header.name)) {
      named.push_back(header);
    }
  }
  const auto trailer = headers.get("x-amz-trailer");
  if (trailer.starts_with("x-amz-checksum-")) {
    named.push_back({trailer, ""});
  }
  for (const auto& header : named) {
    const auto kind = kind_of_header(header.name);
    if (!kind) {
      return not_implemented(header.name, "A header you provided implies functionality that is not implemented");
    }
    if (found) {
      return invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    if (!header.value.empty() && !is_well_formed(*kind, header.value)) {
      return invalid_request(fmt::format("Value for {} header is invalid.", header.name));
    }
    found = kind;
  }
  if (const auto sdk = headers.find("x-amz-sdk-checksum-algorithm"); sdk && (!found || checksum_name(*found) != *sdk)) {
    return invalid_request("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
                           "found.");
  }
  return found;
}

Outcome<std::optional<std::string>> announced_md5(const Headers& headers) {
  const auto text = headers.find("content-md5");
  if (!text) {
    return std::nullopt;
  }
  const auto raw = crypto::from_base64(*text);
  if (!raw || raw->size() != 16) {
    return refuse(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "Content-MD5", *text);
  }
  return raw;
}

Digests::Digests(const Request& request, std::optional<ChecksumKind> kind) : md5_(crypto::Hasher::Kind::md5), kind_(kind) {
  if (is_signed_hash(request.authentication.payload)) {
    sha256_.emplace(crypto::Hasher::Kind::sha256);
  }
  if (kind_) {
    checksum_ = ChecksumHasher::create(*kind_);
  }
}

void Digests::update(std::span<const std::byte> data) {
  if (sha256_) {
    sha256_->update(data);
  }
  md5_.update(data);
  if (checksum_) {
    checksum_->update(data);
  }
}

Outcome<void> Digests::verify(const Request& request, const std::optional<std::string>& promised) {
  if (sha256_) {
    const auto computed = hex_of(sha256_->finish());
    if (computed != request.authentication.payload) {
      return refuse(S3Error{400, "XAmzContentSHA256Mismatch",
                            "The provided 'x-amz-content-sha256' header does not match what was computed.",
                            {{"ClientComputedContentSHA256", request.authentication.payload}, {"S3ComputedContentSHA256", computed}}, {}});
    }
  }
  md5_value_ = md5_.finish();
  S3_TRY_ASSIGN(const auto md5, announced_md5(request.http.headers));
  if (md5 && *md5 != md5_value_) {
    return refuse(S3Error{400, "BadDigest", "The Content-MD5 you specified did not match what we received.",
                          {{"ExpectedDigest", base64_of(*md5)}, {"CalculatedDigest", base64_of(md5_value_)}}, {}});
  }
  if (checksum_) {
    checksum_value_ = checksum_->finish();
    const auto header = request.http.headers.find(checksum_header(*kind_));
    const auto& expected = promised ? promised : header;
    if (expected && *expected != checksum_value_) {
      return refuse(400, "BadDigest", fmt::format("The {} you specified did not match the calculated checksum.", checksum_name(*kind_)));
    }
  }
  return {};
}

}  // namespace prefixfs::devs3
