#include <array>

#include <fmt/format.h>

#include "archive.h"
#include "conditions.h"
#include "object_headers.h"
#include "operations.h"
#include "prefixfs/base/time_format.h"
#include "range.h"
#include "rights.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOverrides{
    {{"response-cache-control", "Cache-Control"},
     {"response-content-disposition", "Content-Disposition"},
     {"response-content-encoding", "Content-Encoding"},
     {"response-content-language", "Content-Language"},
     {"response-content-type", "Content-Type"},
     {"response-expires", "Expires"}}};

void apply_overrides(const Request& request, Response& response) {
  for (const auto& [parameter, header] : kOverrides) {
    if (request.has_query(parameter)) {
      std::erase_if(response.headers, [&](const Header& present) { return present.name == header; });
      response.add(std::string(header), request.query_value(parameter));
    }
  }
}

Response not_modified(const Object& object) {
  auto response = empty_response(304);
  response.add("ETag", quoted_etag(object.etag));
  response.add("Last-Modified", format_http_date(object.last_modified));
  return response;
}

}  // namespace

Outcome<Response> get_object(Context& context, Request& request) {
  S3_TRY_ASSIGN(const auto bucket, context.store.bucket(request.bucket));
  S3_TRY(require(request, "s3:GetObject"));
  const auto object = bucket->find(request.key);
  if (!object) {
    return missing_key(request, request.bucket, request.key);
  }
  S3_TRY_ASSIGN(const auto verdict, check_read(request.http.headers, *object));
  if (verdict == ReadVerdict::not_modified) {
    return not_modified(*object);
  }
  const auto now = context.clock.now();
  if (!request.is_head()) {
    S3_TRY(check_readable(*object, now, "object"));
  }
  std::optional<ByteRange> range;
  if (const auto header = request.http.headers.find("range")) {
    S3_TRY_ASSIGN(range, read_range(*header, object->size));
  }
  auto response = empty_response(range ? 206 : 200);
  add_object_headers(response, *object);
  if (const auto restore = restore_header(*object, now)) {
    response.add("x-amz-restore", *restore);
  }
  if (range) {
    response.add("Content-Range", fmt::format("bytes {}-{}/{}", range->begin, range->end - 1, object->size));
  } else if (request.header("x-amz-checksum-mode") == "ENABLED") {
    add_checksum_headers(response, object->checksum);
  }
  apply_overrides(request, response);
  const auto whole = range.value_or(ByteRange{0, object->size});
  response.length = whole.length();
  if (!request.is_head()) {
    response.extents = slice(object->extents, whole.begin, whole.length());
    response.object = object;
  }
  return response;
}

}  // namespace prefixfs::devs3
