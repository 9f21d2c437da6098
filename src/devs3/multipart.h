#pragma once

#include "request.h"

namespace prefixfs::devs3 {

/// partNumber: 1 to 10000. InvalidArgument.
Outcome<int> read_part_number(const Request& request);
/// Encryption is said once, at CreateMultipartUpload. InvalidArgument.
Outcome<void> refuse_encryption_headers(const Request& request);

}  // namespace prefixfs::devs3
