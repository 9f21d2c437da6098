#include "prefixfs/aws/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::aws {
namespace {

using HeaderMap = std::map<std::string, std::string>;  // sorted by name, as the signature wants

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::array<std::string_view, 5> kSignerHeaders = {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
                                                            "authorization"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

/// "Trim": no blanks at the ends, and one for many between.
std::string canonical_value(std::string_view value) {
  std::string result;
  bool pending_blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      pending_blank = !result.empty();
      continue;
    }
    if (pending_blank) {
      result += ' ';
      pending_blank = false;
    }
    result += c;
  }
  return result;
}

HeaderMap canonical_headers(const SignableRequest& request, const std::vector<http::Header>& added) {
  HeaderMap result;
  for (const http::Header& header : request.headers) {
    const std::string name = lower(header.name);
    if (std::ranges::find(kSignerHeaders, name) != kSignerHeaders.end()) {
      continue;  // the signer's own value counts
    }
    const auto [entry, is_new] = result.emplace(name, canonical_value(header.value));
    if (!is_new) {
      entry->second += "," + canonical_value(header.value);
    }
  }
  for (const http::Header& header : added) {
    result[header.name] = canonical_value(header.value);
  }
  result["host"] = canonical_value(request.host);
  return result;
}

std::string signed_header_names(const HeaderMap& headers) {
  std::string result;
  for (const auto& [name, value] : headers) {
    result += (result.empty() ? "" : ";") + name;
  }
  return result;
}

std::string canonical_request(const SignableRequest& request, const HeaderMap& headers, const std::string& names) {
  std::string result = fmt::format("{}\n{}\n{}\n", request.method, request.encoded_path, canonical_query(request.query));
  for (const auto& [name, value] : headers) {
    result += fmt::format("{}:{}\n", name, value);
  }
  return result + fmt::format("\n{}\n{}", names, request.payload_sha256);
}

crypto::Sha256Digest signing_key(const std::string& secret, std::string_view date, const SigningScope& scope) {
  const std::string start = "AWS4" + secret;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(start.data());
  crypto::Sha256Digest key = crypto::hmac_sha256({bytes, start.size()}, date);
  key = crypto::hmac_sha256(key, scope.region);
  key = crypto::hmac_sha256(key, scope.service);
  return crypto::hmac_sha256(key, "aws4_request");
}

}  // namespace

std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) {
    encoded.emplace_back(crypto::uri_encode(name, crypto::Slash::encode), crypto::uri_encode(value, crypto::Slash::encode));
  }
  std::ranges::sort(encoded);
  std::string result;
  for (const auto& [name, value] : encoded) {
    result += fmt::format("{}{}={}", result.empty() ? "" : "&", name, value);
  }
  return result;
}

std::vector<http::Header> sign(const SignableRequest& request, const Credentials& credentials, const SigningScope& scope, WallTime time) {
  const std::string timestamp = format_iso8601_basic(time);
  const std::string_view date = std::string_view(timestamp).substr(0, 8);
  std::vector<http::Header> added = {{"x-amz-date", timestamp}, {"x-amz-content-sha256", request.payload_sha256}};
  if (!credentials.session_token.empty()) {
    added.push_back({"x-amz-security-token", credentials.session_token});
  }
  const HeaderMap headers = canonical_headers(request, added);
  const std::string names = signed_header_names(headers);
  const std::string scope_text = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, timestamp, scope_text,
                                          crypto::hex(crypto::sha256(canonical_request(request, headers, names))));
  const crypto::Sha256Digest signature = crypto::hmac_sha256(signing_key(credentials.secret_access_key, date, scope), to_sign);
  added.push_back({"authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                                credentials.access_key_id, scope_text, names, crypto::hex(signature))});
  return added;
}

}  // namespace prefixfs::aws
