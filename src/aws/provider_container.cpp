#include "provider_container.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "credentials_check.h"

namespace prefixfs::aws {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConnectTimeout{2000};
constexpr milliseconds kAnswerTimeout{5000};
constexpr int kAttempts = 2;
constexpr std::array<std::string_view, 2> kAgents4 = {"169.254.170.2", "169.254.170.23"};
constexpr std::string_view kAgent6 = "fd00:ec2::23";

/// "http://host:port", which is fit for a sentence: no path, no query.
std::string origin_of(const std::string& url) {
  const std::size_t authority = url.find("://");
  return url.substr(0, url.find_first_of("/?#", authority == std::string::npos ? 0 : authority + 3));
}

/// The host between "//" and the port, brackets removed. Empty where the URL has a user part, which is never used and confuses.
std::string host_of(const std::string& origin) {
  std::string host = origin.substr(origin.find("://") + 3);
  if (host.find('@') != std::string::npos) {
    return "";
  }
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string::npos ? "" : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_local_host(const std::string& host) {
  in_addr address4{};
  if (::inet_pton(AF_INET, host.c_str(), &address4) == 1) {
    const bool is_loopback = (ntohl(address4.s_addr) >> 24) == 127;
    return is_loopback || std::ranges::find(kAgents4, std::string_view(host)) != kAgents4.end();
  }
  in6_addr address6{};
  in6_addr agent{};
  if (::inet_pton(AF_INET6, host.c_str(), &address6) == 1) {
    ::inet_pton(AF_INET6, std::string(kAgent6).c_str(), &agent);
    return IN6_IS_ADDR_LOOPBACK(&address6) || std::memcmp(&address6, &agent, sizeof(agent)) == 0;
  }
  return host == "localhost";
}

bool worth_another(const Result<http::Response>& response) {
  return response ? response->status >= 500 || response->status == 429 : response.error().code == Errc::unavailable;
}

}  // namespace

Result<void> check_container_url(const std::string& url) {
  const std::string origin = origin_of(url);
  if (!origin.starts_with("http://") && !origin.starts_with("https://")) {
    return fail(Errc::credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an http nor an https URL");
  }
  const std::string host = host_of(origin);
  if (host.empty()) {
    return fail(Errc::credentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI names no host, or a user besides it");
  }
  if (origin.starts_with("http://") && !is_local_host(host)) {
    return fail(Errc::credentials,
                fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names {}: over plain http only loopback, {}, {} and [{}] are allowed",
                            origin, kAgents4[0], kAgents4[1], kAgent6));
  }
  return {};
}

/// The value of the Authorization header; empty where none is asked for. The file is read each time: its token rotates.
Result<std::string> ContainerSource::authorization() const {
  std::string token = environment_.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto path = environment_.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    auto text = files_.read(*path);
    if (!text) {
      return fail(Errc::credentials, fmt::format("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {}", text.error().what));
    }
    token = std::move(*text);
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) {
    token.pop_back();
  }
  if (std::ranges::any_of(token, [](char c) { return c < ' ' || c >= '\x7f'; })) {
    return fail(Errc::credentials, "the container authorization token holds line breaks or control characters");
  }
  return token;
}

Result<CredentialsSource::Answer> ContainerSource::fetch(const CallContext& context) {
  if (const auto relative = environment_.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    if (!relative->starts_with('/')) {
      return fail(Errc::credentials, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with \"/\"");
    }
    TRY_ASSIGN(Credentials credentials, ask(ecs_endpoint_ + *relative, "ECS task role", context));
    return credentials;
  }
  if (const auto full = environment_.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    TRY(check_container_url(*full));
    TRY_ASSIGN(Credentials credentials, ask(*full, "container role", context));
    return credentials;
  }
  return NotHere{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set"};
}

Result<Credentials> ContainerSource::ask(const std::string& url, const std::string& source, const CallContext& context) {
  const std::string origin = origin_of(url);
  TRY_ASSIGN(const std::string token, authorization());
  http::Request request{.method = "GET", .url = url, .headers = {{"accept", "application/json"}}};
  request.connect_timeout = kConnectTimeout;
  request.first_byte_timeout = kAnswerTimeout;
  request.bypass_proxy = origin.starts_with("http://");
  if (!token.empty()) {
    request.headers.push_back({"authorization", token});
  }
  auto response = http_.perform(request, nullptr, context);
  for (int attempt = 1; attempt < kAttempts && worth_another(response); ++attempt) {
    response = http_.perform(request, nullptr, context);
  }
  if (!response) {
    // The agent beside the container may start later than the mount: the variables say that it is there.
    const Errc code = response.error().code;
    const bool later = code == Errc::cancelled || code == Errc::timeout || code == Errc::unavailable;
    return fail(later ? code : Errc::credentials, std::move(response.error().what));
  }
  if (response->status == 401 || response->status == 403) {
    return fail(Errc::credentials, fmt::format("{} refused the authorization token (status {}); check "
                                               "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                               origin, response->status));
  }
  if (response->status != 200) {
    return fail(worth_another(response) ? Errc::unavailable : Errc::credentials,
                fmt::format("{} answered status {} instead of credentials", origin, response->status));
  }
  TRY_ASSIGN(Credentials credentials, parse_credentials_json(response->body, origin));
  credentials.source = source;
  return credentials;
}

}  // namespace prefixfs::aws
