// ListObjectsV2 and ListMultipartUploads.

#include <algorithm>

#include <fmt/format.h>

#include "s3_client.h"
#include "xml_listing.h"

namespace prefixfs::s3 {

Result<ListPage> S3Client::list(const ListOptions& options, const CallContext& context) {
  Call call{"ListObjectsV2", "GET", Key(), {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", options.prefix}}};
  call.query.emplace_back("max-keys", std::to_string(std::clamp(options.max_keys, 1, 1000)));
  if (!options.delimiter.empty()) {
    call.query.emplace_back("delimiter", options.delimiter);
  }
  if (!options.continuation_token.empty()) {
    call.query.emplace_back("continuation-token", options.continuation_token);
  } else if (!options.start_after.empty()) {
    call.query.emplace_back("start-after", options.start_after);
  }
  call.answer_timeout = std::chrono::seconds(30);
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  TRY_ASSIGN(ListPage page, read_list_page(response.body, options.prefix));
  if (!page.next_token.empty() && page.next_token == options.continuation_token) {
    return fail(Errc::corrupt, fmt::format("the listing of '{}' does not come to an end: the endpoint repeats its token", options.prefix));
  }
  return page;
}

Result<std::vector<OpenUpload>> S3Client::list_uploads(const std::string& prefix, const CallContext& context) {
  std::vector<OpenUpload> uploads;
  std::string key_marker;
  std::string id_marker;
  for (;;) {
    Call call{"ListMultipartUploads", "GET", Key(), {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", prefix}}};
    if (!key_marker.empty()) {
      call.query.emplace_back("key-marker", key_marker);
      call.query.emplace_back("upload-id-marker", id_marker);
    }
    TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
    TRY_ASSIGN(UploadsPage page, read_uploads_page(response.body, prefix));
    std::ranges::move(page.uploads, std::back_inserter(uploads));
    if (!page.truncated) {
      return uploads;
    }
    if (page.next_key_marker.empty() || (page.next_key_marker == key_marker && page.next_upload_id_marker == id_marker)) {
      return fail(Errc::corrupt, fmt::format("the listing of the uploads below '{}' does not come to an end", prefix));
    }
    key_marker = page.next_key_marker;
    id_marker = page.next_upload_id_marker;
  }
}

}  // namespace prefixfs::s3
