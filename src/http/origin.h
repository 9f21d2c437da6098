#pragma once

#include <string>

#include "prefixfs/base/result.h"

namespace prefixfs::http {

/// Where a request goes: what shares connections, and what error sentences name. Never holds a path, a query or a password.
struct Origin {
  std::string host;  ///< "minio.example", "[::1]"
  std::string text;  ///< "http://minio.example:9000", always with the port
  bool https = false;
};

/// Errors: invalid for anything but an absolute http or https URL without user and password.
Result<Origin> origin_of(const std::string& url);

}  // namespace prefixfs::http
