#pragma once

#include "credentials_source.h"

namespace prefixfs::aws {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
class EnvironmentSource final : public CredentialsSource {
 public:
  explicit EnvironmentSource(const Environment& environment) : environment_(environment) {}
  std::string name() const override { return "environment"; }
  Result<Answer> fetch(const CallContext& context) override;

 private:
  const Environment& environment_;
};

}  // namespace prefixfs::aws
