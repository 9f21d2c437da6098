#include "xml_acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "xml_parser.h"

namespace prefixfs::s3 {

namespace {

constexpr std::size_t kGrantsMax = 100;  // S3 User Guide, "Access control list (ACL) overview"
constexpr std::size_t kGranteeBytesMax = 1024;

struct Grant {
  std::string id;
  std::string uri;
  std::string email;
  std::string permission;
};

struct Policy {
  std::string owner;
  std::vector<Grant> grants;
};

Result<Policy> read_policy(std::string_view body) {
  Policy policy;
  Grant grant;
  XmlCallbacks callbacks;
  callbacks.close = [&](std::string_view path, const std::string& text) {
    constexpr std::pair<std::string_view, std::string Grant::*> kFields[] = {{"AccessControlList/Grant/Grantee/ID", &Grant::id},
                                                                             {"AccessControlList/Grant/Grantee/URI", &Grant::uri},
                                                                             {"AccessControlList/Grant/Grantee/EmailAddress", &Grant::email},
                                                                             {"AccessControlList/Grant/Permission", &Grant::permission}};
    if (path == "Owner/ID") {
      policy.owner = text;
    } else if (path == "AccessControlList/Grant") {
      policy.grants.push_back(std::exchange(grant, {}));
    }
    for (const auto& [name, field] : kFields) {
      if (path == name) {
        grant.*field = text;
      }
    }
  };
  TRY_ASSIGN(const std::string root, parse_xml(body, callbacks));
  if (root != "AccessControlPolicy") {
    return fail(Errc::corrupt, fmt::format("the answer is a <{}>", root));
  }
  if (policy.grants.size() > kGrantsMax) {
    return fail(Errc::corrupt, fmt::format("{} grants are more than an ACL can have", policy.grants.size()));
  }
  return policy;
}

/// `id="..."`. What could end the quotes or the header is no grantee.
Result<std::string> grantee_of(const Grant& grant) {
  const std::pair<const char*, const std::string*> kinds[] = {{"id", &grant.id}, {"uri", &grant.uri}, {"emailAddress", &grant.email}};
  for (const auto& [kind, value] : kinds) {
    if (value->empty()) {
      continue;
    }
    const bool plain = std::ranges::all_of(*value, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ','; });
    if (!plain || value->size() > kGranteeBytesMax) {
      break;
    }
    return fmt::format("{}=\"{}\"", kind, *value);
  }
  return fail(Errc::corrupt, "a grantee of the ACL has no name that a header can carry");
}

Result<void> add(const Grant& grant, Grants& out) {
  constexpr std::pair<std::string_view, std::string Grants::*> kLists[] = {
      {"FULL_CONTROL", &Grants::full_control}, {"READ", &Grants::read}, {"READ_ACP", &Grants::read_acp}, {"WRITE_ACP", &Grants::write_acp}};
  if (grant.permission == "WRITE") {
    return {};  // means nothing for an object, and no header of an object's says it
  }
  for (const auto& [permission, list] : kLists) {
    if (permission == grant.permission) {
      TRY_ASSIGN(const std::string grantee, grantee_of(grant));
      out.*list += (out.*list).empty() ? grantee : ", " + grantee;
      return {};
    }
  }
  return fail(Errc::corrupt, "the ACL grants what S3 does not know");
}

}  // namespace

Result<Grants> read_acl(std::string_view body) {
  TRY_ASSIGN(const Policy policy, read_policy(body));
  Grants others;
  for (const Grant& grant : policy.grants) {
    const bool is_owner = grant.id == policy.owner && grant.uri.empty() && grant.email.empty();
    if (!is_owner) {
      TRY(add(grant, others));
    }
  }
  if (others.empty() || policy.owner.empty()) {
    return others;
  }
  // Grants that are named replace the default, and with it the owner's.
  Grants grants;
  TRY(add({.id = policy.owner, .uri = {}, .email = {}, .permission = "FULL_CONTROL"}, grants));
  grants.full_control += others.full_control.empty() ? "" : ", " + others.full_control;
  others.full_control = grants.full_control;
  return others;
}

}  // namespace prefixfs::s3
