#pragma once
// In which region the bucket is, and how we know.

#include <mutex>
#include <optional>
#include <string>

#include "prefixfs/http/engine.h"
#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

/// The region that requests are signed for. Thread-safe.
class RegionBook {
 public:
  /// Starts with what is configured, else remembered, else `by_host`, else us-east-1.
  RegionBook(std::string bucket, std::string endpoint_name, const std::string& configured, const std::string& by_host,
             EndpointMemory& memory, Log& log);
  std::string current() const;
  /// S3 said that the bucket is in `region`. False when that is no region, or what a request was `signed_for` already.
  bool learn(const std::string& region, const std::string& signed_for);

 private:
  const std::string bucket_;
  const std::string memory_name_;
  EndpointMemory& memory_;
  Log& log_;
  mutable std::mutex mutex_;
  std::string region_;
};

/// x-amz-bucket-region, else the <Region> of the error document; nothing when neither says something that can be a region.
std::optional<std::string> region_told(const http::Response& response, const std::string& document_region);

}  // namespace prefixfs::s3
