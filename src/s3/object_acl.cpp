// GetObjectAcl, and writes that give an object the grants it had.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "s3_client.h"
#include "xml_acl.h"

namespace prefixfs::s3 {

namespace {

/// ACLs are turned off for the bucket ("Controlling ownership of objects and disabling ACLs"), or the endpoint does not know them.
bool has_no_acls(const Error& error) {
  const Origin& said = error.origin;
  return said.s3_code == "AccessControlListNotSupported" || said.s3_code == "NotImplemented" || said.http_status == 501 || said.http_status == 405;
}

/// The right to set them is one of its own, and a bucket may block those that are public: S3 speaks of s3:PutObject then, and others name no right.
bool may_lack_right(const Error& error) {
  const std::string& right = error.origin.missing_right;
  return error.origin.s3_code == "AccessDenied" && (right.empty() || right == "s3:PutObjectAcl" || right == "s3:PutObject");
}

/// A grantee may be gone, or there are more than a request can have headers.
bool may_be_wrong(const Error& error) {
  constexpr std::array<std::string_view, 5> kCodes{"InvalidArgument", "UnresolvableGrantByEmailAddress", "AmbiguousGrantByEmailAddress", "MalformedACLError",
                                                   "RequestHeaderSectionTooLarge"};
  return error.origin.http_status == 400 && std::ranges::find(kCodes, error.origin.s3_code) != kCodes.end();
}

std::string to_text(const Grants& grants) {
  Headers headers;
  add_grants(grants, headers);
  std::string text;
  for (const http::Header& header : headers) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", header.name, header.value);
  }
  return text;
}

}  // namespace

Result<Grants> S3Client::acl(const Key& key, const CallContext& context) {
  if (key.empty()) {
    return fail(Errc::invalid, "GetObjectAcl needs a key");
  }
  if (no_acls_) {
    return Grants{};
  }
  const Call call{"GetObjectAcl", "GET", key, {{"acl", ""}}};
  auto response = exchange_.send(call, nullptr, context);
  if (!response && has_no_acls(response.error())) {
    learn_that_there_are_no_acls(response.error());
    return Grants{};
  }
  if (!response) {
    const bool is_no_acl = response.error().code == Errc::too_large;  // the object itself, perhaps, of an endpoint that does not look at ?acl
    response.error().code = is_no_acl ? Errc::corrupt : response.error().code;
    return fail(std::move(response.error()));
  }
  auto grants = read_acl(response->body);
  if (!grants) {
    Error error = exchange_.error_of(call, *response);
    error.code = Errc::corrupt;
    error.what = fmt::format("GetObjectAcl of '{}': {}", key.str(), grants.error().what);
    return fail(std::move(error));
  }
  return grants;
}

void S3Client::add_known_grants(const Grants& grants, Headers& out) const {
  if (!no_acls_) {
    add_grants(grants, out);
  }
}

void S3Client::learn_that_there_are_no_acls(const Error& error) {
  if (!no_acls_.exchange(true)) {
    exchange_.log().warn("there are no ACLs here, so that none are kept; acls=off saves the question: {}", describe(error));
  }
}

/// The bytes are worth more than the ACL, which its owner can set again. If something else was the reason, the same refusal comes once more.
bool S3Client::refuses_grants(const Grants& grants, const Error& error) {
  if (grants.empty()) {
    return false;
  }
  if (error.origin.s3_code == "AccessControlListNotSupported") {
    learn_that_there_are_no_acls(error);
    return true;
  }
  if (!may_lack_right(error) && !may_be_wrong(error)) {
    return false;
  }
  exchange_.log().warn("'{}' is sent again without the grants of its ACL ({}), since S3 may have refused those; allow s3:PutObjectAcl, or set them anew: {}",
                       error.origin.key, to_text(grants), describe(error));
  return true;
}

}  // namespace prefixfs::s3
