#include "provider_imds.h"

#include <fmt/format.h>

#include <algorithm>

#include "credentials_check.h"
#include "prefixfs/object/region.h"

namespace prefixfs::aws {
namespace {

constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr const char* kRegionPath = "/latest/meta-data/placement/region";

std::string first_line(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

/// IAM's own alphabet for role names; the name becomes part of a URL.
bool is_role_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || std::string_view("+=,.@_-").contains(c);
  });
}

/// Whether this host is an EC2 instance, as its firmware says to everybody (EC2 User Guide, "Determine whether your instance is an EC2
/// instance"): Nitro and metal name the vendor, Xen the version.
bool is_ec2_instance(const FileReader& files) {
  const std::string vendor = files.read("/sys/class/dmi/id/sys_vendor").value_or("");
  const std::string version = files.read("/sys/class/dmi/id/bios_version").value_or("");
  return vendor.starts_with("Amazon EC2") || version.find("amazon") != std::string::npos;
}

}  // namespace

Result<CredentialsSource::Answer> ImdsSource::fetch(const CallContext& context) {
  if (!client_) {
    auto settings = read_imds_settings(environment_);
    if (!settings) {
      return fail(Errc::credentials, std::move(settings.error().what));
    }
    if (settings->disabled) {
      return NotHere{"AWS_EC2_METADATA_DISABLED is true"};
    }
    client_.emplace(std::move(*settings), clock_, http_);
  }
  auto answer = ask(context);
  if (!answer && !may_answer_later(answer.error())) {
    answer.error().code = Errc::credentials;
  }
  return answer;
}

/// At boot the service may come later than the mount. Where nobody answers and nothing says that anybody should, as on a laptop, waiting
/// would only hide that there are no credentials.
bool ImdsSource::may_answer_later(const Error& error) const {
  if (error.code == Errc::cancelled || error.code == Errc::timeout) {
    return true;
  }
  const bool answered = error.origin.http_status != 0;
  return error.code == Errc::unavailable &&
         (answered || environment_.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").has_value() || is_ec2_instance(files_));
}

Result<CredentialsSource::Answer> ImdsSource::ask(const CallContext& context) {
  auto listing = client_->get(kRolePath, context);
  if (!listing && listing.error().code == Errc::not_found) {
    return NotHere{"no role is attached to this instance"};
  }
  if (!listing) {
    return fail(std::move(listing.error()));
  }
  const std::string role = first_line(*listing);
  if (!is_role_name(role)) {
    return fail(Errc::credentials, "the name of the role is not valid");
  }
  TRY_ASSIGN(const std::string document, client_->get(kRolePath + role, context));
  TRY_ASSIGN(Credentials credentials, parse_credentials_json(document, fmt::format("role {}", role)));
  if (credentials.session_token.empty()) {
    return fail(Errc::credentials, fmt::format("role {}: the Token is missing", role));
  }
  credentials.source = fmt::format("instance role {} ({})", role, client_->used_token() ? "IMDSv2" : "IMDSv1");
  return credentials;
}

Result<std::string> instance_region(const ChainSurroundings& surroundings, const CallContext& context) {
  TRY_ASSIGN(ImdsSettings settings, read_imds_settings(surroundings.environment));
  if (settings.disabled) {
    return fail(Errc::unavailable, "no region from instance metadata: AWS_EC2_METADATA_DISABLED is true");
  }
  ImdsClient client(std::move(settings), surroundings.clock, surroundings.http);
  auto region = client.get(kRegionPath, context);
  if (!region) {
    const Errc code = region.error().code;
    return fail(code == Errc::cancelled || code == Errc::timeout ? code : Errc::unavailable,
                fmt::format("no region from instance metadata: {}", region.error().what));
  }
  const std::string name = first_line(*region);
  if (!is_region_name(name)) {
    return fail(Errc::unavailable, "no region from instance metadata: the answer is not the name of a region");
  }
  return name;
}

}  // namespace prefixfs::aws
