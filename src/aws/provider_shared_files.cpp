#include "provider_shared_files.h"

#include <fmt/format.h>

#include <array>

#include "credentials_check.h"
#include "shared_files.h"

namespace prefixfs::aws {
namespace {

/// In the order of the SDKs, which try all of these before static keys in the same profile.
constexpr std::array<std::string_view, 6> kNotBuilt = {"role_arn",          "web_identity_token_file", "sso_session",
                                                       "sso_start_url",     "login_session",           "credential_process"};

std::string not_built(std::string_view setting, const std::string& profile) {
  return fmt::format(
      "not built yet: profile \"{}\" uses {}; give it aws_access_key_id and aws_secret_access_key, or name a profile which has them",
      profile, setting);
}

}  // namespace

Result<CredentialsSource::Answer> SharedFilesSource::fetch(const CallContext&) {
  const ProfileChoice choice = choose_profile(environment_, profile_);
  auto files = SharedFiles::read(environment_, files_);
  if (!files) {
    return fail(Errc::credentials, std::move(files.error().what));
  }
  const auto profile = files->profile(choice.name);
  if (!profile) {
    if (choice.by_name) {
      return fail(Errc::credentials, missing_profile(choice, *files));
    }
    return NotHere{fmt::format("there is no profile \"{}\" in {}", choice.name, files->places())};
  }
  const std::string id = value_of(*profile, "aws_access_key_id");
  const std::string secret = value_of(*profile, "aws_secret_access_key");
  const bool has_keys = !id.empty() && !secret.empty();
  for (const std::string_view setting : kNotBuilt) {
    // credential_process comes after the keys in the SDKs' order, all others before.
    if (!value_of(*profile, std::string(setting)).empty() && !(has_keys && setting == "credential_process")) {
      return fail(Errc::credentials, not_built(setting, choice.name));
    }
  }
  if (id.empty() && secret.empty()) {
    return NotHere{fmt::format("profile \"{}\" has no keys in {}", choice.name, files->places())};
  }
  const std::string source = fmt::format("profile {}", choice.name);
  Credentials credentials{id, secret, value_of(*profile, "aws_session_token"), std::nullopt, source};
  TRY(check_usable(credentials, source));
  return credentials;
}

}  // namespace prefixfs::aws
