#include "body_intake.h"
#include "conditions.h"
#include "operations.h"
#include "prefixfs/object/key.h"
#include "rights.h"
#include "xml_read.h"
#include "xml_write.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kDeletedKeysMax = 1000;

struct Doomed {
  std::string key;
  std::string etag;
};

Outcome<void> delete_one(const Request& request, Bucket& bucket, const Doomed& doomed) {
  S3_TRY(require_on(request, "s3:DeleteObject", request.bucket, doomed.key));
  if (!doomed.etag.empty() && doomed.etag != "*") {  // an ETag tells something about the content, so reading must be allowed
    S3_TRY(require_on(request, "s3:GetObject", request.bucket, doomed.key));
  }
  return bucket.remove(doomed.key, [&](const Object* present) { return check_delete(doomed.etag, doomed.key, present); });
}

struct DeleteList {
  std::vector<Doomed> keys;
  bool quiet = false;
};

Outcome<DeleteList> read_delete_list(const Request& request) {
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::required));
  S3_TRY_ASSIGN(const auto root, read_xml(text, "Delete"));
  S3_TRY(root.only({"Object", "Quiet"}));
  DeleteList list;
  list.quiet = root.text_of("Quiet") == "true";
  for (const auto& node : root.children) {
    if (node.name == "Quiet") {
      continue;
    }
    S3_TRY(node.only({"Key", "ETag"}));
    const auto key = node.text_of("Key").value_or("");
    if (key.empty() || key.size() > kKeyBytesMax) {
      return malformed_xml();
    }
    list.keys.push_back({key, node.text_of("ETag").value_or("")});
  }
  if (list.keys.empty() || list.keys.size() > kDeletedKeysMax) {
    return malformed_xml();
  }
  return list;
}

}  // namespace

Outcome<Response> delete_object(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(delete_one(request, *bucket, {request.key, request.header("if-match")}));
  return empty_response(204);
}

Outcome<Response> delete_objects(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY_ASSIGN(const auto list, read_delete_list(request));
  XmlWriter xml;
  xml.open_root("DeleteResult");
  for (const auto& doomed : list.keys) {
    const auto done = delete_one(request, *bucket, doomed);
    if (done && list.quiet) {
      continue;
    }
    xml.open(done ? "Deleted" : "Error");
    xml.element("Key", doomed.key);
    if (!done) {
      xml.element("Code", done.error().code);
      xml.element("Message", done.error().message);
    }
    xml.close(done ? "Deleted" : "Error");
  }
  xml.close("DeleteResult");
  return xml_response(xml.take());
}

}  // namespace prefixfs::devs3
