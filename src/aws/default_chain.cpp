// Which sources the chain has, and their order.

#include "prefixfs/aws/credentials.h"
#include "provider_chain.h"
#include "provider_container.h"
#include "provider_environment.h"
#include "provider_imds.h"
#include "provider_shared_files.h"
#include "provider_web_identity.h"
#include "refreshing_provider.h"

namespace prefixfs::aws {

std::unique_ptr<CredentialsProvider> make_default_chain(const ChainSurroundings& surroundings, const std::string& profile) {
  const Environment& environment = surroundings.environment;
  std::vector<std::unique_ptr<CredentialsSource>> sources;
  if (profile.empty()) {
    // A profile given by mount option is more explicit than variables which happen to be there; AWS_PROFILE is not.
    sources.push_back(std::make_unique<EnvironmentSource>(environment));
    sources.push_back(std::make_unique<WebIdentitySource>(environment));
  }
  sources.push_back(std::make_unique<SharedFilesSource>(environment, surroundings.files, profile));
  sources.push_back(std::make_unique<ContainerSource>(environment, surroundings.files, surroundings.http));
  sources.push_back(std::make_unique<ImdsSource>(environment, surroundings.files, surroundings.clock, surroundings.http));
  return std::make_unique<RefreshingProvider>(std::make_unique<ProviderChain>(std::move(sources)), surroundings.clock, surroundings.log);
}

}  // namespace prefixfs::aws
