#include "operations.h"
#include "rights.h"

namespace prefixfs::devs3 {

Outcome<Response> perform(Context& context, Request& request) {
  switch (request.operation) {
    case Operation::list_buckets: return list_buckets(context, request);
    case Operation::create_bucket: return create_bucket(context, request);
    case Operation::head_bucket: return head_bucket(context, request);
    case Operation::delete_bucket: return delete_bucket(context, request);
    case Operation::get_bucket_location: return get_bucket_location(context, request);
    case Operation::get_bucket_versioning: return get_bucket_versioning(context, request);
    case Operation::list_objects_v2: return list_objects_v2(context, request);
    case Operation::list_objects: return list_objects(context, request);
    case Operation::list_multipart_uploads: return list_multipart_uploads(context, request);
    case Operation::delete_objects: return delete_objects(context, request);
    case Operation::put_object: return put_object(context, request);
    case Operation::get_object:
    case Operation::head_object: return get_object(context, request);
    case Operation::delete_object: return delete_object(context, request);
    case Operation::copy_object: return copy_object(context, request);
    case Operation::get_object_tagging: return get_object_tagging(context, request);
    case Operation::put_object_tagging: return put_object_tagging(context, request);
    case Operation::delete_object_tagging: return delete_object_tagging(context, request);
    case Operation::get_object_acl: return get_object_acl(context, request);
    case Operation::put_object_acl: return put_object_acl(context, request);
    case Operation::restore_object: return restore_object(context, request);
    case Operation::create_multipart_upload: return create_multipart_upload(context, request);
    case Operation::upload_part: return upload_part(context, request);
    case Operation::upload_part_copy: return upload_part_copy(context, request);
    case Operation::list_parts: return list_parts(context, request);
    case Operation::complete_multipart_upload: return complete_multipart_upload(context, request);
    case Operation::abort_multipart_upload: return abort_multipart_upload(context, request);
    case Operation::unknown: break;
  }
  return not_implemented("", "A header you provided implies functionality that is not implemented");
}

}  // namespace prefixfs::devs3
