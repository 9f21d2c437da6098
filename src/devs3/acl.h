#pragma once
// Who besides its owner may do what with an object: said when it is written, or later.

#include "request.h"

namespace prefixfs::devs3 {

/// All objects are of one account.
inline constexpr std::string_view kOwner = "devs3";

/// Whether the request says who gets what: x-amz-acl or x-amz-grant-*.
bool says_acl(const Request& request);
/// Buckets have none unless their rules say so (null: there are no rules): the owner's full control is all that is told of their objects.
bool has_acls(const BucketRules* rules);
/// What the request says; nothing: the default.
/// AccessControlListNotSupported, InvalidRequest, InvalidArgument, UnresolvableGrantByEmailAddress.
Outcome<std::vector<Grant>> read_acl(const Request& request, const BucketRules* rules);

}  // namespace prefixfs::devs3
