#pragma once
// What is stored: objects, and multipart uploads on their way to become objects.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checksum.h"
#include "data_files.h"
#include "prefixfs/base/clock.h"

namespace prefixfs::devs3 {

using Attributes = std::map<std::string, std::string, std::less<>>;

struct Grant {
  std::string permission;  ///< FULL_CONTROL, READ, WRITE, READ_ACP, WRITE_ACP
  std::string id;          ///< of an account; empty: it is a group
  std::string uri;
};

/// What a client says of an object when it creates it.
struct Description {
  Attributes headers;  ///< content-type, cache-control, ... and x-amz-meta-*, as they are sent back
  std::string storage_class = "STANDARD";
  std::string sse = "AES256";  ///< S3 encrypts every new object since January 2023
  std::string sse_key_id;
  Attributes tags;
  std::vector<Grant> acl;  ///< empty: the default, full control of the owner
};

/// What was asked of an archived object.
struct Restore {
  int days = 0;
  std::optional<WallTime> until;  ///< its bytes can be had; nothing: S3 is at it
};

struct Object {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  ///< without quotes
  WallTime last_modified{};
  Description description;
  Checksum checksum;
  std::vector<Extent> extents;
  std::optional<Restore> restore;
};

/// Never changed once it is in the index: readers keep the version they found.
using ObjectPtr = std::shared_ptr<const Object>;

struct Part {
  int number = 0;
  std::uint64_t size = 0;
  std::string etag;
  WallTime last_modified{};
  std::string checksum;  ///< of the upload's kind
  std::vector<Extent> extents;
};

struct Upload {
  std::string id;
  std::string key;
  std::string initiator;  ///< the access key
  WallTime initiated{};
  Description description;
  ChecksumKind checksum_kind = ChecksumKind::crc64nvme;
  bool checksum_chosen = false;  ///< the client named the kind
  bool composite = false;
  std::map<int, Part> parts;
};

}  // namespace prefixfs::devs3
