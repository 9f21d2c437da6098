#include "imds_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace prefixfs::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kTokenLifetime{21600};   // the longest allowed
constexpr seconds kTokenReserve{60};       // a token is not used up to its last second
constexpr std::size_t kTokenBytesMax = 1024;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool is_true(const Environment& environment, std::string_view name) { return lower(environment.get(name).value_or("")) == "true"; }

/// A whole number from 1 to `max`, or `fallback` where the variable is not set.
Result<int> number(const Environment& environment, std::string_view name, int fallback, int max) {
  const auto text = environment.get(name);
  if (!text) {
    return fallback;
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > max) {
    return fail(Errc::invalid, fmt::format("{} must be a whole number from 1 to {}", name, max));
  }
  return value;
}

Result<std::string> endpoint_of(const Environment& environment) {
  if (auto endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    if (!endpoint->starts_with("http://") && !endpoint->starts_with("https://")) {
      return fail(Errc::invalid, "AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http or https URL");
    }
    while (endpoint->ends_with('/')) {
      endpoint->pop_back();
    }
    return *endpoint;
  }
  const std::string mode = lower(environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("ipv4"));
  if (mode == "ipv4") {
    return "http://169.254.169.254";
  }
  if (mode == "ipv6") {
    return "http://[fd00:ec2::254]";
  }
  return fail(Errc::invalid, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE must be IPv4 or IPv6");
}

}  // namespace

Result<ImdsSettings> read_imds_settings(const Environment& environment) {
  ImdsSettings settings;
  settings.disabled = is_true(environment, "AWS_EC2_METADATA_DISABLED");
  settings.v1_disabled = is_true(environment, "AWS_EC2_METADATA_V1_DISABLED");
  TRY_ASSIGN(settings.endpoint, endpoint_of(environment));
  TRY_ASSIGN(const int timeout, number(environment, "AWS_METADATA_SERVICE_TIMEOUT", 1, 300));
  settings.timeout = seconds(timeout);
  TRY_ASSIGN(settings.attempts, number(environment, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1, 100));
  return settings;
}

Result<http::Response> ImdsClient::perform(http::Request request, const CallContext& context) {
  request.connect_timeout = settings_.timeout;
  request.first_byte_timeout = settings_.timeout;
  request.bypass_proxy = true;
  Result<http::Response> response = fail(Errc::internal, "no attempt was made");
  for (int attempt = 0; attempt < settings_.attempts; ++attempt) {
    response = http_.perform(request, nullptr, context);
    if (response ? response->status < 500 && response->status != 429 : response.error().code != Errc::unavailable) {
      return response;
    }
  }
  if (response) {
    Error error{Errc::unavailable, fmt::format("{} answered status {}", settings_.endpoint, response->status), {}};
    error.origin.http_status = response->status;
    return fail(std::move(error));
  }
  return response;
}

/// Leaves the token empty where version 1 is to be used.
Result<void> ImdsClient::ensure_token(const CallContext& context) {
  if (!token_.empty() && clock_.steady() < token_until_) {
    return {};
  }
  token_.clear();
  const std::string lifetime = std::to_string(kTokenLifetime.count());
  auto response = perform({.method = "PUT",
                           .url = settings_.endpoint + "/latest/api/token",
                           .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", lifetime}}},
                          context);
  if (!response) {
    if (response.error().code == Errc::unavailable && response.error().origin.http_status == 0) {
      response.error().what += " (not on EC2? In a container, the hop limit of the instance metadata must be 2 or more)";
    }
    return fail(std::move(response.error()));
  }
  const int status = response->status;
  if (status == 403 || status == 404 || status == 405) {
    if (settings_.v1_disabled) {
      return fail(Errc::denied, fmt::format("{} gives no session token (status {}), and AWS_EC2_METADATA_V1_DISABLED forbids to go without",
                                            settings_.endpoint, status));
    }
    return {};
  }
  if (status != 200 || response->body.empty() || response->body.size() > kTokenBytesMax ||
      std::ranges::any_of(response->body, [](char c) { return c <= ' ' || c >= '\x7f'; })) {
    return fail(Errc::denied, fmt::format("{} gives no usable session token (status {})", settings_.endpoint, status));
  }
  token_ = std::move(response->body);
  seconds granted = kTokenLifetime;
  if (const auto text = response->header("x-aws-ec2-metadata-token-ttl-seconds")) {
    int value = 0;
    std::from_chars(text->data(), text->data() + text->size(), value);
    granted = std::clamp(seconds(value), seconds(1), kTokenLifetime);
  }
  token_until_ = clock_.steady() + std::max(granted - kTokenReserve, granted / 2);
  return {};
}

Result<http::Response> ImdsClient::get_once(const std::string& path, const CallContext& context) {
  TRY(ensure_token(context));
  http::Request request{.method = "GET", .url = settings_.endpoint + path, .headers = {}};
  if (!token_.empty()) {
    request.headers.push_back({"x-aws-ec2-metadata-token", token_});
  }
  return perform(std::move(request), context);
}

Result<std::string> ImdsClient::get(const std::string& path, const CallContext& context) {
  TRY_ASSIGN(http::Response response, get_once(path, context));
  if (response.status == 401 && used_token()) {
    token_.clear();  // forgotten by the service, for instance after a stop and start of the instance
    TRY_ASSIGN(response, get_once(path, context));
  }
  if (response.status == 200) {
    return std::move(response.body);
  }
  const Errc code = response.status == 404 ? Errc::not_found : Errc::denied;
  return fail(code, fmt::format("{} answered status {} to {}", settings_.endpoint, response.status, path));
}

}  // namespace prefixfs::aws
