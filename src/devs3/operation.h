#pragma once

#include <string_view>

namespace prefixfs::devs3 {

/// S3's operations as devs3 knows them.
enum class Operation {
  list_buckets, create_bucket, head_bucket, delete_bucket, get_bucket_location, get_bucket_versioning,
  list_objects_v2, list_objects, list_multipart_uploads, delete_objects,
  put_object, get_object, head_object, delete_object, copy_object,
  get_object_tagging, put_object_tagging, delete_object_tagging, get_object_acl, put_object_acl, restore_object,
  create_multipart_upload, upload_part, upload_part_copy, list_parts, complete_multipart_upload, abort_multipart_upload,
  unknown,
};

std::string_view operation_name(Operation operation);  ///< "PutObject"

}  // namespace prefixfs::devs3
