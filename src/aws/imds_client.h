#pragma once

#include <chrono>
#include <string>

#include "prefixfs/aws/credentials.h"

namespace prefixfs::aws {

/// Source: AWS SDKs and Tools Reference Guide, "IMDS credential provider" and "IMDS client".
struct ImdsSettings {
  bool disabled = false;     ///< AWS_EC2_METADATA_DISABLED
  bool v1_disabled = false;  ///< AWS_EC2_METADATA_V1_DISABLED
  std::string endpoint;      ///< AWS_EC2_METADATA_SERVICE_ENDPOINT, or by AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE; no slash at its end
  std::chrono::milliseconds timeout{1000};  ///< AWS_METADATA_SERVICE_TIMEOUT, for connection and answer each
  int attempts = 1;                         ///< AWS_METADATA_SERVICE_NUM_ATTEMPTS
};
/// Errors: invalid; the sentence names the variable.
Result<ImdsSettings> read_imds_settings(const Environment& environment);

/// Instance metadata of EC2, version 2 with a session token; version 1 where the instance does not know tokens. One thread at a time.
class ImdsClient {
 public:
  ImdsClient(ImdsSettings settings, const Clock& clock, http::Engine& http)
      : settings_(std::move(settings)), clock_(clock), http_(http) {}

  /// The document at `path` ("/latest/meta-data/...").
  /// Errors: not_found (404), denied (the service is not willing), unavailable (no answer, or 429 and 5xx: origin.http_status),
  /// timeout, cancelled.
  Result<std::string> get(const std::string& path, const CallContext& context);
  /// Whether the last answer came by version 2.
  bool used_token() const { return !token_.empty(); }

 private:
  Result<void> ensure_token(const CallContext& context);
  Result<http::Response> get_once(const std::string& path, const CallContext& context);
  Result<http::Response> perform(http::Request request, const CallContext& context);

  const ImdsSettings settings_;
  const Clock& clock_;
  http::Engine& http_;
  std::string token_;
  SteadyTime token_until_{};
};

}  // namespace prefixfs::aws
