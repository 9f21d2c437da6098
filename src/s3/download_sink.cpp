#include "download_sink.h"

#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"

namespace prefixfs::s3 {

Result<ByteRange> DownloadSink::range_of(const http::Response& head, std::uint64_t size) const {
  const ByteRange whole{0, size};
  if (head.status != 206) {
    // A server may leave a Range aside (RFC 9110, 14.2). That is of use only where the range was the whole.
    if (options_.range && whole.intersect(*options_.range) != whole) {
      return fail(Errc::corrupt, fmt::format("a range of '{}' was asked for, and the endpoint sends the whole", key_.str()));
    }
    return whole;
  }
  const auto sent = parse_content_range(head.header("content-range").value_or(""));
  const ByteRange wanted = options_.range ? whole.intersect(*options_.range) : whole;
  if (!sent || sent->range != wanted) {
    return fail(Errc::corrupt, fmt::format("bytes {}-{} of '{}' were asked for, and the endpoint sends '{}'", wanted.begin, wanted.end,
                                           key_.str(), head.header("content-range").value_or("").substr(0, 80)));
  }
  return wanted;
}

Result<void> DownloadSink::begin(const http::Response& head) {
  answer_ = {};
  TRY_ASSIGN(answer_.info, read_object_info(key_, head));
  TRY_ASSIGN(answer_.range, range_of(head, answer_.info.size));
  const auto length = parse_number(head.header("content-length").value_or(""));
  if (length && *length != answer_.range.length()) {
    return fail(Errc::corrupt, fmt::format("{} bytes of '{}' are due, and the endpoint announces {}", answer_.range.length(),
                                           key_.str(), *length));
  }
  if (!options_.if_match.empty() && options_.if_match != answer_.info.etag) {  // an endpoint which ignores If-Match
    return fail(Errc::conflict, fmt::format("'{}' is no longer the version {}", key_.str(), options_.if_match.str()));
  }
  begun_ = true;
  received_ = 0;
  crc_ = 0;
  verify_ = answer_.info.crc64nvme && answer_.range == ByteRange{0, answer_.info.size};
  return sink_.begin(answer_);
}

Result<void> DownloadSink::accept(std::span<const std::byte> data) {
  received_ += data.size();
  if (received_ > answer_.range.length()) {
    return fail(Errc::corrupt, fmt::format("more than the {} bytes announced of '{}' arrived", answer_.range.length(), key_.str()));
  }
  if (verify_) {
    crc_ = crypto::crc64nvme(crc_, data);
  }
  return sink_.accept(data);
}

Result<GetAnswer> DownloadSink::finish(const http::Response& response) {
  if (!begun_) {  // an empty body
    TRY(begin(response));
  }
  if (received_ != answer_.range.length()) {
    return fail(Errc::unavailable, fmt::format("{} of {} bytes of '{}' arrived", received_, answer_.range.length(), key_.str()));
  }
  if (verify_ && crc_ != *answer_.info.crc64nvme) {
    return fail(Errc::corrupt, fmt::format("the bytes of '{}' do not fit their CRC64NVME", key_.str()));
  }
  return answer_;
}

}  // namespace prefixfs::s3
