#include "provider_environment.h"

#include "credentials_check.h"

namespace prefixfs::aws {

Result<CredentialsSource::Answer> EnvironmentSource::fetch(const CallContext&) {
  const auto id = environment_.get("AWS_ACCESS_KEY_ID");
  const auto secret = environment_.get("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) {
    return NotHere{"AWS_ACCESS_KEY_ID is not set"};
  }
  if (!id || !secret) {
    return fail(Errc::credentials, id ? "AWS_ACCESS_KEY_ID is set in the environment but AWS_SECRET_ACCESS_KEY is not"
                                      : "AWS_SECRET_ACCESS_KEY is set in the environment but AWS_ACCESS_KEY_ID is not");
  }
  Credentials credentials{*id, *secret, environment_.get("AWS_SESSION_TOKEN").value_or(""), std::nullopt, "environment"};
  TRY(check_usable(credentials, "environment"));
  return credentials;
}

}  // namespace prefixfs::aws
