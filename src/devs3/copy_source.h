#pragma once

#include "operations.h"

namespace prefixfs::devs3 {

struct CopySource {
  std::string bucket;
  std::string key;
  ObjectPtr object;
};

/// x-amz-copy-source, found and readable, with its x-amz-copy-source-if-* held. InvalidArgument, NoSuchBucket, NoSuchKey, AccessDenied,
/// PreconditionFailed, InvalidObjectState.
Outcome<CopySource> find_copy_source(Context& context, const Request& request);

}  // namespace prefixfs::devs3
