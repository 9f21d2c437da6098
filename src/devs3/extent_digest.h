#pragma once
// Hashes of bytes that are stored already: copies and parts made by copying need them.

#include <string>
#include <vector>

#include "checksum.h"
#include "data_files.h"
#include "object.h"
#include "prefixfs/base/random.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

struct ExtentDigest {
  std::string md5;  ///< raw; empty where it was not asked for
  std::string checksum;
};

/// MD5 runs at less than 1 GB/s, the CRCs much faster: leave it out where it is known.
enum class Md5 { compute, skip };

/// Reads all the bytes once. Errors as 500.
Outcome<ExtentDigest> digest_extents(const std::vector<Extent>& extents, ChecksumKind kind, Md5 md5);

/// The ETag of a single upload: the MD5, except under KMS, where S3's is something else and must not be taken for a hash.
std::string make_etag(const std::string& md5, const Description& description, Random& random);
/// The ETag of a multipart upload: the MD5 of the parts' MD5s, and their number.
std::string make_multipart_etag(const std::vector<std::string>& part_etags);
std::string hex_text(std::string_view raw);

}  // namespace prefixfs::devs3
