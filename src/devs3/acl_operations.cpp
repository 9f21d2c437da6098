#include "acl.h"
#include "body_intake.h"
#include "operations.h"
#include "rights.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

void write_grant(XmlWriter& xml, const Grant& grant) {
  xml.open("Grant");
  xml.open_typed("Grantee", grant.uri.empty() ? "CanonicalUser" : "Group");
  xml.element(grant.uri.empty() ? "ID" : "URI", grant.uri.empty() ? grant.id : grant.uri);
  xml.close("Grantee");
  xml.element("Permission", grant.permission);
  xml.close("Grant");
}

}  // namespace

Outcome<Response> get_object_acl(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:GetObjectAcl"));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  std::vector<Grant> grants = object->description.acl;
  if (grants.empty() || !has_acls(context.access.rules_of(request.bucket))) {
    grants = {{"FULL_CONTROL", std::string(kOwner), {}}};
  }
  XmlWriter xml;
  xml.open_root("AccessControlPolicy");
  xml.open("Owner");
  xml.element("ID", kOwner);
  xml.close("Owner");
  xml.open("AccessControlList");
  for (const Grant& grant : grants) {
    write_grant(xml, grant);
  }
  xml.close("AccessControlList");
  xml.close("AccessControlPolicy");
  return xml_response(xml.take());
}

/// By headers; an AccessControlPolicy in the body is not implemented. It is the same version afterwards.
Outcome<Response> put_object_acl(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:PutObjectAcl"));
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::optional));
  if (!text.empty() || !says_acl(request)) {
    return not_implemented("", "An ACL is given by headers only");
  }
  S3_TRY_ASSIGN(const auto acl, read_acl(request, context.access.rules_of(request.bucket)));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  S3_TRY(bucket->change(object, [&](Object& changed) { changed.description.acl = acl; }));
  return empty_response(200);
}

}  // namespace prefixfs::devs3
