#pragma once
// AWS Signature Version 4: a pure function of request, keys and time.
// Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/http/engine.h"

namespace prefixfs::aws {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct SignableRequest {
  std::string method;
  std::string host;          ///< as in the Host header, with the port where it is not the scheme's default
  std::string encoded_path;  ///< as sent, begins with "/"; S3 wants it encoded once
  /// Decoded names and values; the signer encodes and sorts.
  std::vector<std::pair<std::string, std::string>> query;
  /// All of these are signed, and host besides; names in any case.
  std::vector<http::Header> headers;
  std::string payload_sha256;  ///< lower-case hex, or kUnsignedPayload
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
};

/// The headers to add: x-amz-date, x-amz-content-sha256, x-amz-security-token (where there is a token), authorization. Thread-safe.
std::vector<http::Header> sign(const SignableRequest& request, const Credentials& credentials, const SigningScope& scope, WallTime time);

/// The query string, encoded and sorted as signed; it can be sent as it is.
std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace prefixfs::aws
