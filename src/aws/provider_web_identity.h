#pragma once

#include "credentials_source.h"

namespace prefixfs::aws {

/// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN (EKS service accounts). Not built yet: it refuses, because going on would make the
/// mount use the node's role instead of the pod's.
class WebIdentitySource final : public CredentialsSource {
 public:
  explicit WebIdentitySource(const Environment& environment) : environment_(environment) {}
  std::string name() const override { return "web identity"; }
  Result<Answer> fetch(const CallContext& context) override;

 private:
  const Environment& environment_;
};

}  // namespace prefixfs::aws
