#pragma once

#include "credentials_source.h"

namespace prefixfs::aws {

inline constexpr const char* kEcsEndpoint = "http://169.254.170.2";

/// The endpoint beside a container: ECS task roles (relative URI), EKS Pod Identity and others (full URI).
/// Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
class ContainerSource final : public CredentialsSource {
 public:
  /// `ecs_endpoint` is where a relative URI leads; tests pass their own.
  ContainerSource(const Environment& environment, const FileReader& files, http::Engine& http, std::string ecs_endpoint = kEcsEndpoint)
      : environment_(environment), files_(files), http_(http), ecs_endpoint_(std::move(ecs_endpoint)) {}
  std::string name() const override { return "container"; }
  Result<Answer> fetch(const CallContext& context) override;

 private:
  Result<std::string> authorization() const;
  Result<Credentials> ask(const std::string& url, const std::string& source, const CallContext& context);

  const Environment& environment_;
  const FileReader& files_;
  http::Engine& http_;
  const std::string ecs_endpoint_;
};

/// https to any host; http only to loopback and to the addresses of the ECS and EKS agents, so that the token is not sent over a network
/// in the clear. Errors: credentials.
Result<void> check_container_url(const std::string& url);

}  // namespace prefixfs::aws
