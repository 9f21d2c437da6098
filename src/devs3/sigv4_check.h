#pragma once
// Checks Signature Version 4, in headers and in presigned URLs, over the request as it was sent. Written apart from the signer of
// prefixfs, from the documents: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_message.h"
#include "prefixfs/base/clock.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::chrono::minutes kClockSkewMax{15};

/// Decoded names and values in the order of the request. Nothing for a broken escape.
using QueryPairs = std::vector<std::pair<std::string, std::string>>;
std::optional<QueryPairs> parse_query(std::string_view raw);

/// What the request says of itself; nothing is proved yet.
struct Authentication {
  bool presigned = false;
  std::string access_key;
  std::string date;    ///< of the scope, "20130524"
  std::string region;  ///< of the scope
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string session_token;
  std::string payload;  ///< x-amz-content-sha256; UNSIGNED-PAYLOAD in a presigned URL without it
  WallTime time{};
  std::chrono::seconds expires{};  ///< presigned only
};

/// Nothing for an anonymous request. Refuses what is not Signature Version 4, headers that must be signed but are not, and a missing
/// or odd x-amz-content-sha256.
Outcome<std::optional<Authentication>> parse_authentication(const HttpRequest& request);

/// RequestTimeTooSkewed, or "Request has expired" for a presigned URL.
Outcome<void> check_time(const Authentication& authentication, WallTime now);

/// SignatureDoesNotMatch, with the texts that were signed here.
Outcome<void> check_signature(const HttpRequest& request, const Authentication& authentication, std::string_view secret);

std::string canonical_request(const HttpRequest& request, const Authentication& authentication);
std::string string_to_sign(const Authentication& authentication, std::string_view canonical);
/// The key of the day; aws-chunked bodies are signed with it too.
std::vector<std::uint8_t> signing_key(const Authentication& authentication, std::string_view secret);

}  // namespace prefixfs::devs3
