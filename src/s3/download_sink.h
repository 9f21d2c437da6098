#pragma once
// Between the HTTP body and the caller's sink: nothing passes that is not what was asked for, and a part is never taken for the whole.

#include "headers.h"
#include "prefixfs/http/engine.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

class DownloadSink final : public http::ResponseSink {
 public:
  DownloadSink(const Key& key, const GetOptions& options, GetSink& sink) : key_(key), options_(options), sink_(sink) {}

  /// Errors: corrupt (no ETag, no length, another range or another version than asked), and the caller's sink's.
  Result<void> begin(const http::Response& head) override;
  Result<void> accept(std::span<const std::byte> data) override;
  /// After the transfer. Errors: unavailable (cut short), corrupt (checksum).
  Result<GetAnswer> finish(const http::Response& response);

 private:
  Result<ByteRange> range_of(const http::Response& head, std::uint64_t size) const;

  const Key& key_;
  const GetOptions& options_;
  GetSink& sink_;
  bool begun_ = false;
  GetAnswer answer_;
  std::uint64_t received_ = 0;
  std::uint64_t crc_ = 0;
  bool verify_ = false;
};

}  // namespace prefixfs::s3
