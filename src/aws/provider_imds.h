#pragma once

#include <optional>

#include "credentials_source.h"
#include "imds_client.h"

namespace prefixfs::aws {

/// The role of an EC2 instance.
class ImdsSource final : public CredentialsSource {
 public:
  /// `files` tell whether this host is an EC2 instance.
  ImdsSource(const Environment& environment, const FileReader& files, const Clock& clock, http::Engine& http)
      : environment_(environment), files_(files), clock_(clock), http_(http) {}
  std::string name() const override { return "instance metadata"; }
  Result<Answer> fetch(const CallContext& context) override;

 private:
  Result<Answer> ask(const CallContext& context);
  bool may_answer_later(const Error& error) const;

  const Environment& environment_;
  const FileReader& files_;
  const Clock& clock_;
  http::Engine& http_;
  std::optional<ImdsClient> client_;  ///< kept for its session token
};

}  // namespace prefixfs::aws
