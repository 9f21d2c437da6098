#pragma once

#include <memory>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/base/random.h"
#include "prefixfs/config/options.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/s3/breaker.h"
#include "prefixfs/s3/client.h"

namespace prefixfs::daemon {

/// Everything between a key below the mount and the network.
class StoreStack {
 public:
  /// Errors: invalid (profile or settings that cannot be read, or that can never work).
  static Result<std::unique_ptr<StoreStack>> make(const config::Options& options, meta::FactStore& facts, const Clock& clock, Log& log);

  /// Keys are relative to the mount's prefix.
  s3::ObjectStore& store() { return *breaking_; }
  /// The same, also while the breaker is open.
  s3::ObjectStore& probed() { return *probing_; }
  s3::Breaker& breaker() { return breaker_; }
  Metrics& metrics() { return metrics_; }

 private:
  StoreStack(const config::Options& options, const aws::ProfileSettings& profile, meta::FactStore& facts, const Clock& clock, Log& log);

  ProcessEnvironment environment_;
  SystemFileReader files_;
  SystemRandom random_;
  Metrics metrics_;
  std::unique_ptr<http::Engine> engine_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<s3::EndpointMemory> memory_;
  std::unique_ptr<s3::ObjectStore> client_;
  std::unique_ptr<s3::ObjectStore> retrying_;
  std::unique_ptr<s3::ObjectStore> metered_;
  std::unique_ptr<s3::ObjectStore> prefixed_;
  std::unique_ptr<s3::ObjectStore> bounded_;
  s3::Breaker breaker_;
  std::unique_ptr<s3::ObjectStore> probing_;
  std::unique_ptr<s3::ObjectStore> watched_;
  std::unique_ptr<s3::ObjectStore> breaking_;
};

/// Options before the environment, and the environment before the profile.
s3::ClientOptions client_options(const config::Options& options, const aws::ProfileSettings& profile);

/// What the mount's answers of S3 depend on: a cache of another one is refused.
std::string source_name(const config::Options& options);

}  // namespace prefixfs::daemon
