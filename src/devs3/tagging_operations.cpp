#include "body_intake.h"
#include "object_headers.h"
#include "operations.h"
#include "rights.h"
#include "xml_read.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

Outcome<Attributes> read_tagging(const Request& request) {
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::optional));
  S3_TRY_ASSIGN(const auto root, read_xml(text, "Tagging"));
  S3_TRY(root.only({"TagSet"}));
  const auto* set = root.child("TagSet");
  if (set == nullptr) {
    return malformed_xml();
  }
  S3_TRY(set->only({"Tag"}));
  Attributes tags;
  for (const auto& node : set->children) {
    S3_TRY(node.only({"Key", "Value"}));
    const auto key = node.text_of("Key");
    const auto value = node.text_of("Value");
    if (!key || !value) {
      return malformed_xml();
    }
    if (!tags.emplace(*key, *value).second) {
      return refuse(400, "InvalidTag", "Cannot provide multiple Tags with the same key");
    }
  }
  S3_TRY(check_tags(tags));
  return tags;
}

/// Tags are changed beside the object: neither its ETag nor its Last-Modified changes.
Outcome<void> replace_tags(Context& context, const Request& request, const Attributes& tags) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  return bucket->change(object, [&](Object& changed) { changed.description.tags = tags; });
}

}  // namespace

Outcome<Response> get_object_tagging(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:GetObjectTagging"));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  XmlWriter xml;
  xml.open_root("Tagging");
  xml.open("TagSet");
  for (const auto& [name, value] : object->description.tags) {
    xml.open("Tag");
    xml.element("Key", name);
    xml.element("Value", value);
    xml.close("Tag");
  }
  xml.close("TagSet");
  xml.close("Tagging");
  return xml_response(xml.take());
}

Outcome<Response> put_object_tagging(Context& context, Request& request) {
  S3_TRY(require(request, "s3:PutObjectTagging"));
  S3_TRY_ASSIGN(const auto tags, read_tagging(request));
  S3_TRY(replace_tags(context, request, tags));
  return empty_response(200);
}

Outcome<Response> delete_object_tagging(Context& context, Request& request) {
  S3_TRY(require(request, "s3:DeleteObjectTagging"));
  S3_TRY(replace_tags(context, request, {}));
  return empty_response(204);
}

}  // namespace prefixfs::devs3
