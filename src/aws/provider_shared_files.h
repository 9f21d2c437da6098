#pragma once

#include "credentials_source.h"

namespace prefixfs::aws {

/// Keys of a profile in the shared files. What needs another service (role_arn, SSO, ...) is refused by name, not passed over.
class SharedFilesSource final : public CredentialsSource {
 public:
  /// `profile` as in make_default_chain.
  SharedFilesSource(const Environment& environment, const FileReader& files, std::string profile)
      : environment_(environment), files_(files), profile_(std::move(profile)) {}
  std::string name() const override { return "shared files"; }
  Result<Answer> fetch(const CallContext& context) override;

 private:
  const Environment& environment_;
  const FileReader& files_;
  const std::string profile_;
};

}  // namespace prefixfs::aws
