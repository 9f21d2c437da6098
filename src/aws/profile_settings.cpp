// Region, endpoint and CA bundle: environment before files.

#include <fmt/format.h>

#include <algorithm>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/object/region.h"
#include "shared_files.h"

namespace prefixfs::aws {
namespace {

std::string first_of(const Environment& environment, std::initializer_list<std::string_view> variables) {
  for (const std::string_view variable : variables) {
    if (const auto value = environment.get(variable)) {
      return *value;
    }
  }
  return "";
}

bool is_true(std::string value) {
  std::ranges::transform(value, value.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return value == "true" || value == "1";
}

/// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
std::string endpoint_of(const Environment& environment, const SharedFiles& files, const IniFile::Properties& profile) {
  const std::string ignore = first_of(environment, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"});
  if (is_true(ignore.empty() ? value_of(profile, "ignore_configured_endpoint_urls") : ignore)) {
    return "";
  }
  if (std::string url = first_of(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}); !url.empty()) {
    return url;
  }
  if (const auto services = files.services(value_of(profile, "services"))) {
    if (std::string url = value_of(*services, "s3.endpoint_url"); !url.empty()) {
      return url;
    }
  }
  return value_of(profile, "endpoint_url");
}

/// Source: AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints".
bool switch_of(const Environment& environment, const IniFile::Properties& profile, std::string_view variable, const std::string& property) {
  const auto set = environment.get(variable);
  return is_true(set ? *set : value_of(profile, property));
}

}  // namespace

Result<ProfileSettings> read_profile_settings(const Environment& environment, const FileReader& files, const std::string& profile) {
  const ProfileChoice choice = choose_profile(environment, profile);
  TRY_ASSIGN(const SharedFiles shared, SharedFiles::read(environment, files));
  const auto found = shared.profile(choice.name);
  if (!found && choice.by_name) {
    return fail(Errc::invalid, missing_profile(choice, shared));
  }
  const IniFile::Properties properties = found.value_or(IniFile::Properties{});
  ProfileSettings settings;
  settings.region = first_of(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (settings.region.empty()) {
    settings.region = value_of(properties, "region");
  }
  if (!settings.region.empty() && !is_region_name(settings.region)) {
    return fail(Errc::invalid, fmt::format("the region \"{}\" from AWS_REGION, AWS_DEFAULT_REGION or the profile is none; write for example "
                                           "eu-central-1", escape_control(settings.region)));
  }
  settings.endpoint_url = endpoint_of(environment, shared, properties);
  settings.ca_bundle = first_of(environment, {"AWS_CA_BUNDLE"});
  if (settings.ca_bundle.empty()) {
    settings.ca_bundle = value_of(properties, "ca_bundle");
  }
  settings.use_fips = switch_of(environment, properties, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  settings.use_dualstack = switch_of(environment, properties, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  return settings;
}

}  // namespace prefixfs::aws
