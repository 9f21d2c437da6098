#pragma once
// One function per S3 operation: the request is authenticated and routed, the answer is decided here. Thread-safe.

#include "object_store.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/random.h"
#include "request.h"

namespace prefixfs::devs3 {

/// What operations work with.
struct Context {
  ObjectStore& store;
  const Access& access;
  const Clock& clock;
  Random& random;
  std::string region;  ///< the endpoint's own
};

Outcome<Response> perform(Context& context, Request& request);

// bucket_operations.cpp
Outcome<Response> list_buckets(Context& context, Request& request);
Outcome<Response> create_bucket(Context& context, Request& request);
Outcome<Response> head_bucket(Context& context, Request& request);
Outcome<Response> delete_bucket(Context& context, Request& request);
Outcome<Response> get_bucket_location(Context& context, Request& request);
Outcome<Response> get_bucket_versioning(Context& context, Request& request);

// list_operations.cpp
Outcome<Response> list_objects_v2(Context& context, Request& request);
Outcome<Response> list_objects(Context& context, Request& request);

// put_operation.cpp, get_operations.cpp, copy_operations.cpp, delete_operations.cpp, tagging_operations.cpp, acl_operations.cpp, restore_operation.cpp
Outcome<Response> put_object(Context& context, Request& request);
Outcome<Response> get_object(Context& context, Request& request);  ///< and HeadObject
Outcome<Response> copy_object(Context& context, Request& request);
Outcome<Response> upload_part_copy(Context& context, Request& request);
Outcome<Response> delete_object(Context& context, Request& request);
Outcome<Response> delete_objects(Context& context, Request& request);
Outcome<Response> get_object_tagging(Context& context, Request& request);
Outcome<Response> put_object_tagging(Context& context, Request& request);
Outcome<Response> delete_object_tagging(Context& context, Request& request);
Outcome<Response> get_object_acl(Context& context, Request& request);
Outcome<Response> put_object_acl(Context& context, Request& request);
Outcome<Response> restore_object(Context& context, Request& request);

// multipart_operations.cpp, multipart_complete.cpp, multipart_lists.cpp
Outcome<Response> create_multipart_upload(Context& context, Request& request);
Outcome<Response> upload_part(Context& context, Request& request);
Outcome<Response> complete_multipart_upload(Context& context, Request& request);
Outcome<Response> abort_multipart_upload(Context& context, Request& request);
Outcome<Response> list_parts(Context& context, Request& request);
Outcome<Response> list_multipart_uploads(Context& context, Request& request);

}  // namespace prefixfs::devs3
