#pragma once

#include <memory>
#include <vector>

#include "credentials_source.h"

namespace prefixfs::aws {

/// Asks its sources in order until one answers, and from then on only that one, so that a mount does not change who it is.
/// When that source is no longer set up, all are asked again.
class ProviderChain final : public CredentialsSource {
 public:
  explicit ProviderChain(std::vector<std::unique_ptr<CredentialsSource>> sources) : sources_(std::move(sources)) {}
  std::string name() const override { return "chain"; }
  /// Never NotHere: the error lists what was tried, and why each failed.
  Result<Answer> fetch(const CallContext& context) override;

 private:
  const std::vector<std::unique_ptr<CredentialsSource>> sources_;
  CredentialsSource* answered_ = nullptr;
};

}  // namespace prefixfs::aws
