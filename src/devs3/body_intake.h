#pragma once
// The body of a write, from the connection into a data file, with everything the request says of it held against it.

#include <cstdint>
#include <optional>
#include <string>

#include "data_files.h"
#include "object.h"
#include "request.h"

namespace prefixfs::devs3 {

struct TakenBody {
  std::uint64_t size = 0;
  std::string md5;  ///< raw, 16 bytes
  Checksum checksum;
  std::vector<Extent> extents;
};

/// Streams the body in; memory stays at one block. `kind` is the checksum to compute where the client sends none.
/// MissingContentLength, EntityTooLarge, XAmzContentSHA256Mismatch, BadDigest, InvalidDigest, InvalidRequest, IncompleteBody.
Outcome<TakenBody> take_body(const Request& request, DataFiles& files, ChecksumKind kind);

/// What a small body must prove besides x-amz-content-sha256.
enum class BodyDigest {
  none,      ///< a checksum header speaks of something else (CompleteMultipartUpload: of the object)
  optional,  ///< is checked where it is there
  required,  ///< Content-MD5 or a checksum must be there (DeleteObjects)
};

/// A small body (XML) in memory, checked in the same way.
Outcome<std::string> take_text(const Request& request, BodyDigest digest);

}  // namespace prefixfs::devs3
