#include "sigv4_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

/// Sequential spaces become one, as the AWS SDKs sign them.
std::string collapse_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || out.empty() || out.back() != ' ') {
      out += c;
    }
  }
  return out;
}

/// S3 encodes the decoded path once; a path that was sent unencoded is signed as if it had been encoded.
std::string canonical_path(std::string_view raw) {
  const auto decoded = crypto::uri_decode(raw);
  return decoded ? crypto::uri_encode(*decoded, crypto::Slash::keep) : std::string(raw);
}

std::string canonical_query(std::string_view raw) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : parse_query(raw).value_or(QueryPairs())) {
    if (name != "X-Amz-Signature") {
      encoded.emplace_back(crypto::uri_encode(name, crypto::Slash::encode), crypto::uri_encode(value, crypto::Slash::encode));
    }
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const auto& word : words) {
    out.append(out.empty() ? "" : separator).append(word);
  }
  return out;
}

std::string hex_of(const crypto::Sha256Digest& digest) { return crypto::hex(digest); }

std::string spaced_hex(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", c);
  }
  return out;
}

}  // namespace

std::optional<QueryPairs> parse_query(std::string_view raw) {
  QueryPairs pairs;
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const auto word = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view{} : raw.substr(end + 1);
    if (word.empty()) {
      continue;
    }
    const auto equals = word.find('=');
    const auto name = crypto::uri_decode(word.substr(0, equals));
    const auto value = crypto::uri_decode(equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1));
    if (!name || !value) {
      return std::nullopt;
    }
    pairs.emplace_back(*name, *value);
  }
  return pairs;
}

Outcome<void> check_time(const Authentication& authentication, WallTime now) {
  const auto server_time = format_iso8601(now);
  if (authentication.presigned) {
    if (now > authentication.time + authentication.expires) {
      return refuse(S3Error{403, "AccessDenied", "Request has expired",
                            {{"X-Amz-Expires", std::to_string(authentication.expires.count())},
                             {"Expires", format_iso8601(authentication.time + authentication.expires)}, {"ServerTime", server_time}}, {}});
    }
    if (authentication.time > now + kClockSkewMax) {
      return refuse(403, "AccessDenied", "Request is not valid yet", "ServerTime", server_time);
    }
    return {};
  }
  const auto difference = authentication.time > now ? authentication.time - now : now - authentication.time;
  if (difference > kClockSkewMax) {
    return refuse(S3Error{403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
                          {{"RequestTime", format_iso8601_basic(authentication.time)}, {"ServerTime", server_time},
                           {"MaxAllowedSkewMilliseconds", "900000"}}, {}});
  }
  return {};
}

std::string canonical_request(const HttpRequest& request, const Authentication& authentication) {
  std::string out = fmt::format("{}\n{}\n{}\n", request.method, canonical_path(request.path), canonical_query(request.query));
  for (const auto& name : authentication.signed_headers) {
    out += fmt::format("{}:{}\n", name, collapse_spaces(request.headers.get(name)));
  }
  out += fmt::format("\n{}\n{}", join(authentication.signed_headers, ";"), authentication.payload);
  return out;
}

std::string string_to_sign(const Authentication& authentication, std::string_view canonical) {
  return fmt::format("{}\n{}\n{}/{}/s3/aws4_request\n{}", kAlgorithm, format_iso8601_basic(authentication.time), authentication.date,
                     authentication.region, hex_of(crypto::sha256(canonical)));
}

std::vector<std::uint8_t> signing_key(const Authentication& authentication, std::string_view secret) {
  const std::string start = fmt::format("AWS4{}", secret);
  std::vector<std::uint8_t> key(start.begin(), start.end());
  for (const std::string_view step : {std::string_view(authentication.date), std::string_view(authentication.region),
                                      std::string_view("s3"), std::string_view("aws4_request")}) {
    const auto next = crypto::hmac_sha256(key, step);
    key.assign(next.begin(), next.end());
  }
  return key;
}

Outcome<void> check_signature(const HttpRequest& request, const Authentication& authentication, std::string_view secret) {
  const auto canonical = canonical_request(request, authentication);
  const auto text = string_to_sign(authentication, canonical);
  const auto expected = hex_of(crypto::hmac_sha256(signing_key(authentication, secret), text));
  if (crypto::equal_secret(expected, authentication.signature)) {
    return {};
  }
  return refuse(S3Error{403, "SignatureDoesNotMatch",
                        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
                        {{"AWSAccessKeyId", authentication.access_key}, {"StringToSign", text},
                         {"SignatureProvided", authentication.signature}, {"StringToSignBytes", spaced_hex(text)},
                         {"CanonicalRequest", canonical}}, {}});
}

}  // namespace prefixfs::devs3
