#include "metadata_server.h"

#include <fmt/format.h>

#include <charconv>

#include "prefixfs/base/time_format.h"

namespace prefixfs::test {
namespace {
constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kRolesPath = "/latest/meta-data/iam/security-credentials/";
constexpr std::string_view kRegionPath = "/latest/meta-data/placement/region";
constexpr int kLongestTokenSeconds = 21600;
}  // namespace

MetadataServer::MetadataServer(const Clock& clock)
    : clock_(clock),
      expires_(clock.now() + std::chrono::hours(6)),
      server_([this](TestConnection& connection) { serve(connection); }) {}

void MetadataServer::change(const std::function<void(Settings&)>& how) {
  const std::lock_guard lock(mutex_);
  how(settings_);
}

void MetadataServer::issue(const std::string& name, std::chrono::seconds lifetime) {
  const std::lock_guard lock(mutex_);
  name_ = name;
  expires_ = clock_.now() + lifetime;
}

void MetadataServer::forget_tokens() {
  const std::lock_guard lock(mutex_);
  tokens_.clear();
}

int MetadataServer::count(const std::string& method_and_path) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(method_and_path);
  return found == counts_.end() ? 0 : found->second;
}

void MetadataServer::serve(TestConnection& connection) {
  while (const auto request = connection.read_request()) {
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      ++counts_[request->method + " " + request->target];
      text = settings_.silent ? "" : answer(*request);
    }
    if (text.empty()) {
      connection.wait_closed();
      return;
    }
    connection.send(text);
  }
}

std::string MetadataServer::answer(const ReceivedRequest& request) {
  if (settings_.fail_with_status != 0) {
    return http_answer(settings_.fail_with_status, "");
  }
  if (request.target == kContainerPath) {
    return container_answer(request);
  }
  return request.target == kTokenPath ? give_token(request) : instance_answer(request);
}

std::string MetadataServer::give_token(const ReceivedRequest& request) {
  if (request.method != "PUT") {
    return http_answer(405, "");
  }
  if (settings_.token_put_status != 200) {
    return http_answer(settings_.token_put_status, "");
  }
  if (request.has_header("x-forwarded-for")) {
    return http_answer(403, "");  // the service gives no token through a proxy
  }
  const std::string text = request.header("x-aws-ec2-metadata-token-ttl-seconds");
  int lifetime = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lifetime);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || lifetime < 1 || lifetime > kLongestTokenSeconds) {
    return http_answer(400, "");
  }
  const std::string token = fmt::format("token-{}==", ++tokens_given_);
  tokens_[token] = clock_.steady() + std::chrono::seconds(lifetime);
  return http_answer(200, token, fmt::format("X-Aws-Ec2-Metadata-Token-Ttl-Seconds: {}\r\n", lifetime));
}

std::string MetadataServer::instance_answer(const ReceivedRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return http_answer(405, "");
  }
  if (request.has_header("x-aws-ec2-metadata-token") || settings_.token_required) {
    const auto token = tokens_.find(request.header("x-aws-ec2-metadata-token"));
    if (token == tokens_.end() || clock_.steady() >= token->second) {
      return http_answer(401, "");
    }
  }
  if (request.target == kRegionPath) {
    return http_answer(200, settings_.region);
  }
  if (settings_.role.empty()) {
    return http_answer(404, "");
  }
  if (request.target == kRolesPath) {
    return http_answer(200, settings_.role);
  }
  return request.target == std::string(kRolesPath) + settings_.role ? http_answer(200, document()) : http_answer(404, "");
}

std::string MetadataServer::container_answer(const ReceivedRequest& request) const {
  if (request.method != "GET") {
    return http_answer(405, "");
  }
  if (!settings_.authorization.empty() && request.header("authorization") != settings_.authorization) {
    return http_answer(403, R"({"code":"AccessDenied"})");
  }
  return http_answer(200, document(), "Content-Type: application/json\r\n");
}

std::string MetadataServer::document() const {
  if (!settings_.document.empty()) {
    return settings_.document;
  }
  return fmt::format(R"({{"Code":"Success","LastUpdated":"2026-11-20T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIA{0}0000000KEY",)"
                     R"("SecretAccessKey":"secret-{0}","Token":"session-{0}","Expiration":"{1}"}})",
                     name_, format_iso8601(expires_));
}

}  // namespace prefixfs::test
