#include "provider_web_identity.h"

namespace prefixfs::aws {

Result<CredentialsSource::Answer> WebIdentitySource::fetch(const CallContext&) {
  if (!environment_.get("AWS_WEB_IDENTITY_TOKEN_FILE") || !environment_.get("AWS_ROLE_ARN")) {
    return NotHere{"AWS_WEB_IDENTITY_TOKEN_FILE is not set"};
  }
  return fail(Errc::credentials,
              "not built yet: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN ask for a role by web identity; use EKS Pod Identity, "
              "which sets AWS_CONTAINER_CREDENTIALS_FULL_URI, or give keys");
}

}  // namespace prefixfs::aws
