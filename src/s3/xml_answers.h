#pragma once
// The small XML answers of S3, and the error document.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

/// <Error>; fields that are not there stay empty.
struct ErrorDocument {
  std::string code;
  std::string message;
  std::string region;
  std::string bucket;
  std::string key;
  std::string request_id;
};
/// Nothing when `body` is not an error document: a proxy's HTML, an empty body, another answer.
std::optional<ErrorDocument> read_error_document(std::string_view body);

/// CopyObjectResult and CopyPartResult.
struct CopyResult {
  ETag etag;
  WallTime last_modified{};
  std::optional<std::uint64_t> crc64nvme;
};
Result<CopyResult> read_copy_result(std::string_view body);

/// Tagging: as x-amz-tagging has it, "name=value&..." URL-encoded.
Result<std::string> read_tagging(std::string_view body);

Result<UploadId> read_initiate_result(std::string_view body);

struct CompleteResult {
  ETag etag;
  std::optional<std::uint64_t> crc64nvme;
};
Result<CompleteResult> read_complete_result(std::string_view body);

/// DeleteObjects: what was deleted, and what was not.
struct DeleteResult {
  struct Refusal {
    std::string key;
    std::string code;
    std::string message;
  };
  std::vector<std::string> deleted;
  std::vector<Refusal> refused;
};
Result<DeleteResult> read_delete_result(std::string_view body);

}  // namespace prefixfs::s3
