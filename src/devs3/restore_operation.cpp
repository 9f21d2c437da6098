#include <charconv>

#include "archive.h"
#include "body_intake.h"
#include "operations.h"
#include "rights.h"
#include "xml_read.h"

namespace prefixfs::devs3 {
namespace {

struct Wanted {
  int days = 0;
  std::string tier = "Standard";
};

Outcome<Wanted> read_wanted(const Request& request) {
  S3_TRY_ASSIGN(const auto text, take_text(request, BodyDigest::optional));
  S3_TRY_ASSIGN(const auto root, read_xml(text, "RestoreRequest"));
  S3_TRY(root.only({"Days", "GlacierJobParameters"}));
  Wanted wanted;
  const auto days = root.text_of("Days").value_or("");
  const auto [end, error] = std::from_chars(days.data(), days.data() + days.size(), wanted.days);
  if (error != std::errc{} || end != days.data() + days.size() || wanted.days < 1) {
    return malformed_xml();
  }
  if (const auto* job = root.child("GlacierJobParameters")) {
    S3_TRY(job->only({"Tier"}));
    wanted.tier = job->text_of("Tier").value_or("");
  }
  if (wanted.tier != "Standard" && wanted.tier != "Bulk" && wanted.tier != "Expedited") {
    return malformed_xml();
  }
  return wanted;
}

}  // namespace

/// The restore is finished by the control interface.
Outcome<Response> restore_object(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:RestoreObject"));
  S3_TRY_ASSIGN(const auto wanted, read_wanted(request));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  const auto& storage_class = object->description.storage_class;
  if (!has_archive_class(*object)) {
    return refuse(403, "InvalidObjectState", "Restore is not allowed for the object's current storage class", "StorageClass", storage_class);
  }
  if (storage_class == "DEEP_ARCHIVE" && wanted.tier == "Expedited") {
    return invalid_argument("Retrieval option is not supported by this storage class", "Tier", wanted.tier);
  }
  if (object->restore && !object->restore->until) {
    return refuse(409, "RestoreAlreadyInProgress", "Object restore is already in progress");
  }
  const auto now = context.clock.now();
  if (check_readable(*object, now, "object")) {
    S3_TRY(put_restore(*bucket, object, {wanted.days, expiry_of(wanted.days, now)}));
    return empty_response(200);
  }
  S3_TRY(put_restore(*bucket, object, {wanted.days, {}}));
  return empty_response(202);
}

}  // namespace prefixfs::devs3
