#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "prefixfs/base/clock.h"
#include "prefixfs/object/etag.h"
#include "prefixfs/object/key.h"

namespace prefixfs {

/// x-amz-meta-*: names in lower case without that prefix, values as on the wire (US-ASCII).
using UserMetadata = std::map<std::string, std::string, std::less<>>;

/// What the ACL of an object grants to others than its owner: lists of grantees as x-amz-grant-* has them, `id="...", uri="..."`. All empty: nothing.
/// Otherwise the owner stands among those with full control.
struct Grants {
  std::string full_control;
  std::string read;
  std::string read_acp;
  std::string write_acp;
  bool empty() const { return full_control.empty() && read.empty() && read_acp.empty() && write_acp.empty(); }
  friend bool operator==(const Grants&, const Grants&) = default;
};

/// What S3 says of one version of an object. From a listing only key, size, etag, last_modified and storage_class are known,
/// and `complete` is false.
struct ObjectInfo {
  Key key;
  std::uint64_t size = 0;  ///< bytes of the whole object, also when a range was asked for
  ETag etag;
  WallTime last_modified{};
  std::string storage_class;  ///< empty means STANDARD
  bool complete = false;      ///< from HEAD or GET: the fields below are known too
  UserMetadata user_metadata;
  std::string content_type;
  std::string content_encoding;
  std::string content_disposition;
  std::string content_language;
  std::string cache_control;
  std::string expires;
  std::string version_id;
  std::string sse;            ///< x-amz-server-side-encryption
  std::string sse_key_id;
  bool bucket_key = false;    ///< x-amz-server-side-encryption-bucket-key-enabled
  std::string restore;        ///< x-amz-restore, as sent
  int tag_count = 0;
  std::optional<std::string> tagging;  ///< the tags themselves, as x-amz-tagging has them; no answer brings them along
  std::optional<std::uint64_t> crc64nvme;  ///< of the whole object, where S3 tells
  WallTime told_at{};  ///< by S3's clock, when HEAD or GET was answered (Date); last_modified is of the same clock. Zero: not told
};

}  // namespace prefixfs
