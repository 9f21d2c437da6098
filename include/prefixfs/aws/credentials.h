#pragma once
// Who am I.

#include <memory>
#include <optional>
#include <string>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/environment.h"
#include "prefixfs/base/result.h"
#include "prefixfs/http/engine.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;  ///< never logged; see describe()
  std::string session_token;      ///< empty for long-term keys
  std::optional<WallTime> expires;
  std::string source;             ///< "environment", "profile resumes", "instance role app (IMDSv2)"
};

/// "AKIA...MPLE from environment": the id shortened, no secret.
std::string describe(const Credentials& credentials);

/// Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  /// Valid credentials, from memory where they are. Blocks while the first ones are fetched, or while the old ones are past use.
  /// Errors: credentials (none found: the sentence lists what was tried and why each failed; or refused), unavailable (a source is there
  /// and does not answer at the moment), timeout, cancelled.
  virtual Result<Credentials> get(const CallContext& context) = 0;
  /// S3 refused these (ExpiredToken, InvalidToken, InvalidAccessKeyId): the next get() asks the source again,
  /// unless newer ones have been fetched meanwhile.
  virtual void refused(const Credentials& credentials) = 0;
};

/// What the chain needs of the world.
struct ChainSurroundings {
  const Environment& environment;
  const FileReader& files;
  const Clock& clock;
  http::Engine& http;
  Log& log;
};

/// The SDKs' order: environment, shared files with profiles, container endpoints (ECS, EKS), IMDSv2.
/// `profile` is the mount option; empty: AWS_PROFILE, or "default". A profile that was asked for by name and is not there is an error,
/// not a reason to go on. Refreshes 15 minutes before expiry in the background, blocks only in the last 5 minutes.
std::unique_ptr<CredentialsProvider> make_default_chain(const ChainSurroundings& surroundings, const std::string& profile);

/// Fixed keys, for tests and probes.
std::unique_ptr<CredentialsProvider> make_static_provider(Credentials credentials);

/// Region and endpoint as the environment and the shared files say; empty where they say nothing.
struct ProfileSettings {
  std::string region;        ///< AWS_REGION, AWS_DEFAULT_REGION, profile
  std::string endpoint_url;  ///< AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, profile's services section, profile
  std::string ca_bundle;     ///< AWS_CA_BUNDLE, profile
  bool use_fips = false;       ///< AWS_USE_FIPS_ENDPOINT, profile
  bool use_dualstack = false;  ///< AWS_USE_DUALSTACK_ENDPOINT, profile
};
Result<ProfileSettings> read_profile_settings(const Environment& environment, const FileReader& files, const std::string& profile);

/// Region of this instance from IMDSv2 (placement/region). Errors: unavailable.
Result<std::string> instance_region(const ChainSurroundings& surroundings, const CallContext& context);

}  // namespace prefixfs::aws
