#pragma once
// The two answers with many rows: ListObjectsV2 and ListMultipartUploads.

#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

/// Keys are decoded where the answer says EncodingType url. Errors: corrupt (no XML, a row without key or size, a key outside
/// `prefix`, truncated without a token).
Result<ListPage> read_list_page(std::string_view body, const std::string& prefix);

struct UploadsPage {
  std::vector<OpenUpload> uploads;
  bool truncated = false;
  std::string next_key_marker;
  std::string next_upload_id_marker;
};
Result<UploadsPage> read_uploads_page(std::string_view body, const std::string& prefix);

}  // namespace prefixfs::s3
