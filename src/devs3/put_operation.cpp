#include "acl.h"
#include "body_intake.h"
#include "conditions.h"
#include "extent_digest.h"
#include "object_headers.h"
#include "operations.h"
#include "rights.h"

namespace prefixfs::devs3 {

Outcome<Response> put_object(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require_write(request));
  S3_TRY(require_encryption(request, context.access.rules_of(request.bucket)));
  Object object;
  object.key = request.key;
  S3_TRY_ASSIGN(object.description, read_description(request));
  S3_TRY_ASSIGN(object.description.acl, read_acl(request, context.access.rules_of(request.bucket)));
  // Judged before the body too: with Expect: 100-continue the client then never sends it.
  S3_TRY(check_write(request.http.headers, request.key, bucket->find(request.key).get()));
  S3_TRY_ASSIGN(auto body, take_body(request, context.store.files(), ChecksumKind::crc64nvme));
  object.size = body.size;
  object.etag = make_etag(body.md5, object.description, context.random);
  object.last_modified = context.clock.now();
  object.checksum = std::move(body.checksum);
  object.extents = std::move(body.extents);
  S3_TRY_ASSIGN(const auto stored, bucket->put(std::move(object), [&](const Object* present) {
    return check_write(request.http.headers, request.key, present);
  }));
  auto response = empty_response(200);
  response.add("ETag", quoted_etag(stored->etag));
  add_encryption_headers(response, stored->description);
  add_checksum_headers(response, stored->checksum);
  return response;
}

}  // namespace prefixfs::devs3
