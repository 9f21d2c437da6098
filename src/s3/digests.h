#pragma once
// What is computed over a body before it is sent, in one pass.

#include <optional>
#include <string>

#include "prefixfs/base/body.h"
#include "prefixfs/base/call_context.h"

namespace prefixfs::s3 {

struct WantedDigests {
  bool crc64nvme = false;
  bool md5 = false;
  bool sha256 = false;
};

struct Digests {
  std::uint64_t crc64nvme = 0;
  std::string md5;     ///< raw bytes; empty when not wanted
  std::string sha256;  ///< raw bytes; empty when not wanted
};

/// Errors: what the source says; cancelled.
Result<Digests> digest_body(const BodySource& body, WantedDigests wanted, const CallContext& context);

}  // namespace prefixfs::s3
