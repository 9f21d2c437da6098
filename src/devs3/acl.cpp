#include "acl.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kCanned = "x-amz-acl";
constexpr std::string_view kGrantPrefix = "x-amz-grant-";
constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::string_view kAuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr std::size_t kGrantsMax = 100;

// x-amz-grant-write is for buckets.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kHeaders{{{"x-amz-grant-full-control", "FULL_CONTROL"},
                                                                                 {"x-amz-grant-read", "READ"},
                                                                                 {"x-amz-grant-read-acp", "READ_ACP"},
                                                                                 {"x-amz-grant-write-acp", "WRITE_ACP"}}};

Grant to_owner() { return {"FULL_CONTROL", std::string(kOwner), {}}; }
Grant to_group(std::string permission, std::string_view uri) { return {std::move(permission), {}, std::string(uri)}; }

Outcome<std::vector<Grant>> read_canned(const std::string& name) {
  if (name == "private" || name == "bucket-owner-read" || name == "bucket-owner-full-control") {  // the owner of all is that of the bucket
    return std::vector<Grant>();
  }
  if (name == "public-read") {
    return std::vector<Grant>{to_owner(), to_group("READ", kAllUsers)};
  }
  if (name == "public-read-write") {
    return std::vector<Grant>{to_owner(), to_group("READ", kAllUsers), to_group("WRITE", kAllUsers)};
  }
  if (name == "authenticated-read") {
    return std::vector<Grant>{to_owner(), to_group("READ", kAuthenticatedUsers)};
  }
  return invalid_argument("", kCanned, name);
}

bool is_account(std::string_view id) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return id == kOwner || (id.size() == 64 && std::ranges::all_of(id, is_hex));
}

/// `id="..."` or `uri="..."`; the quotes may be left away.
Outcome<Grant> read_grantee(std::string_view text, std::string_view header, std::string_view permission) {
  const auto equals = text.find('=');
  std::string_view value = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  const std::string_view kind = text.substr(0, equals);
  if (kind == "emailAddress") {
    return refuse(400, "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.");
  }
  if (kind == "id" && is_account(value)) {
    return Grant{std::string(permission), std::string(value), {}};
  }
  if (kind == "uri" && (value == kAllUsers || value == kAuthenticatedUsers)) {
    return Grant{std::string(permission), {}, std::string(value)};
  }
  return invalid_argument(kind == "id" ? "Invalid id" : "Invalid group uri", header, std::string(text));
}

Outcome<std::vector<Grant>> read_grants(const Request& request) {
  std::vector<Grant> grants;
  for (const auto& header : request.http.headers.all()) {
    if (!header.name.starts_with(kGrantPrefix)) {
      continue;
    }
    const auto* known = std::ranges::find(kHeaders, header.name, &decltype(kHeaders)::value_type::first);
    if (known == kHeaders.end()) {
      return invalid_argument("An object cannot be granted so", header.name, header.value);
    }
    for (std::string_view rest = header.value; !rest.empty();) {
      const auto comma = rest.find(',');
      std::string_view grantee = rest.substr(0, comma);
      grantee.remove_prefix(std::min(grantee.find_first_not_of(' '), grantee.size()));
      S3_TRY_ASSIGN(auto grant, read_grantee(grantee, header.name, known->second));
      grants.push_back(std::move(grant));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  if (grants.size() > kGrantsMax) {
    return invalid_request("Your request contains more grants than an ACL can have");
  }
  return grants;
}

}  // namespace

bool says_acl(const Request& request) {
  return request.http.headers.has(kCanned) ||
         std::ranges::any_of(request.http.headers.all(), [](const Header& header) { return header.name.starts_with(kGrantPrefix); });
}

bool has_acls(const BucketRules* rules) { return rules != nullptr && rules->acls; }

Outcome<std::vector<Grant>> read_acl(const Request& request, const BucketRules* rules) {
  const auto canned = request.http.headers.find(kCanned);
  if (!says_acl(request) || canned == "bucket-owner-full-control") {
    return std::vector<Grant>();
  }
  if (!has_acls(rules)) {
    return refuse(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
  }
  S3_TRY_ASSIGN(auto grants, read_grants(request));
  if (canned && !grants.empty()) {
    return invalid_request("Specifying both Canned ACLs and Header Grants is not allowed");
  }
  return canned ? read_canned(*canned) : std::move(grants);
}

}  // namespace prefixfs::devs3
