// HeadObject, GetObjectTagging and GetObject.

#include <fmt/format.h>

#include "download_sink.h"
#include "prefixfs/base/time_format.h"
#include "s3_client.h"
#include "xml_answers.h"

namespace prefixfs::s3 {

namespace {

Error with_origin(Error error, const Call& call, const http::Response& response) {
  error.origin.operation = call.operation;
  error.origin.key = call.key.str();
  error.origin.http_status = response.status;
  error.origin.request_id = std::string(response.header("x-amz-request-id").value_or(""));
  error.origin.attempt = 1;
  return error;
}

std::string range_header(ByteRange range) {
  return range.end == UINT64_MAX ? fmt::format("bytes={}-", range.begin) : fmt::format("bytes={}-{}", range.begin, range.end - 1);
}

Result<void> check_key(const char* operation, const Key& key) {
  if (key.empty()) {
    return fail(Errc::invalid, fmt::format("{} needs a key", operation));
  }
  return {};
}

}  // namespace

Result<ObjectInfo> S3Client::head(const Key& key, const CallContext& context) {
  TRY(check_key("HeadObject", key));
  const Call call{"HeadObject", "HEAD", key, {}, {{"x-amz-checksum-mode", "ENABLED"}}};
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  auto info = read_object_info(key, response);
  if (!info) {
    return fail(with_origin(std::move(info.error()), call, response));
  }
  return info;
}

Result<std::string> S3Client::tagging(const Key& key, const CallContext& context) {
  TRY(check_key("GetObjectTagging", key));
  const Call call{"GetObjectTagging", "GET", key, {{"tagging", ""}}};
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  auto tags = read_tagging(response.body);
  if (!tags) {
    return fail(with_origin(std::move(tags.error()), call, response));
  }
  return tags;
}

Result<GetAnswer> S3Client::get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) {
  constexpr int kAttemptsMax = 5;
  for (int attempt = 1; attempt <= kAttemptsMax; ++attempt) {
    TRY_ASSIGN(auto answer, get_once(key, options, sink, context));
    if (answer) {
      return std::move(*answer);
    }
  }
  return fail(Errc::unavailable, fmt::format("GetObject of '{}': the object is emptied and filled all the time", key.str()));
}

/// Nothing, where the object was empty and is not any more.
Result<std::optional<GetAnswer>> S3Client::get_once(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) {
  TRY(check_key("GetObject", key));
  Call call{"GetObject", "GET", key};
  call.accept = {304, 416};
  if (options.range && options.range->empty()) {  // HTTP has no way to ask for nothing
    Error error{Errc::invalid, fmt::format("GetObject of '{}': an empty range", key.str()), {}};
    error.origin.http_status = 416;
    return fail(std::move(error));
  }
  if (options.range) {
    call.headers.push_back({"range", range_header(*options.range)});
  } else {
    call.headers.push_back({"x-amz-checksum-mode", "ENABLED"});
  }
  if (!options.if_match.empty()) {
    call.headers.push_back({"if-match", options.if_match.quoted()});
  }
  if (!options.if_none_match.empty()) {
    call.headers.push_back({"if-none-match", options.if_none_match.quoted()});
  }
  DownloadSink download(key, options, sink);
  TRY_ASSIGN(const http::Response response, exchange_.send(call, &download, context));
  if (response.status == 304) {
    GetAnswer answer;
    answer.not_modified = true;
    answer.info.key = key;
    answer.info.etag = options.if_none_match;
    answer.info.last_modified = parse_http_date(response.header("last-modified").value_or("")).value_or(WallTime{});
    return std::optional(std::move(answer));
  }
  if (response.status == 416) {
    return get_of_nothing(call, options, response, sink, context);
  }
  auto answer = download.finish(response);
  if (!answer) {
    return fail(with_origin(std::move(answer.error()), call, response));
  }
  return std::optional(std::move(*answer));
}

/// Every range of an empty object is refused with 416, and a 416 carries no attributes: one HEAD tells an empty object from a range
/// beyond the end.
Result<std::optional<GetAnswer>> S3Client::get_of_nothing(const Call& call, const GetOptions& options, const http::Response& response, GetSink& sink,
                                                         const CallContext& context) {
  const Error refused = exchange_.error_of(call, response);
  const auto content_range = response.header("content-range");
  if (content_range && content_range->starts_with("bytes */") && *content_range != "bytes */0") {
    return fail(refused);
  }
  TRY_ASSIGN(ObjectInfo info, head(call.key, context));
  if (options.range && options.range->begin < info.size) {
    return std::optional<GetAnswer>();  // filled meanwhile
  }
  if (info.size != 0) {
    return fail(refused);
  }
  GetAnswer answer;
  answer.info = std::move(info);
  TRY(sink.begin(answer));
  return std::optional(std::move(answer));
}

}  // namespace prefixfs::s3
