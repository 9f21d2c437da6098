#pragma once
// In which region the bucket is, and how we know.

#include <atomic>
#include <functional>
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
  /// Whether anything told the region so far; else current() is a guess.
  bool told() const;
  /// A better guess.
  void assume(const std::string& region);
  /// S3 said that the bucket is in `region`. False when that is no region, or what a request was `signed_for` already.
  bool learn(const std::string& region, const std::string& signed_for);

 private:
  const std::string bucket_;
  const std::string memory_name_;
  EndpointMemory& memory_;
  Log& log_;
  mutable std::mutex mutex_;
  std::string region_;  ///< empty: not told
};

/// The region of this host, for a guess that is mostly right: on EC2 the bucket is mostly near by, and there may be no way to
/// us-east-1. Thread-safe; callers wait while one of them asks, a few seconds at most.
class HostRegion {
 public:
  using Ask = std::function<Result<std::string>(const CallContext& context)>;
  /// `ask` may be empty: nothing is ever found.
  HostRegion(Ask ask, const Clock& clock, Log& log) : ask_(std::move(ask)), settled_(!ask_), clock_(clock), log_(log) {}
  /// Asks; after a failure again when some seconds have passed, as at boot the answer may come late. Nothing once it is settled.
  std::optional<std::string> find(const CallContext& context);
  /// It is not needed any more.
  void settle() { settled_ = true; }

 private:
  const Ask ask_;
  std::atomic<bool> settled_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;  // held while `ask_` runs: nobody shall go on with a wrong guess meanwhile
  SteadyTime ask_not_before_{};
};

/// x-amz-bucket-region, else the <Region> of the error document; nothing when neither says something that can be a region.
std::optional<std::string> region_told(const http::Response& response, const std::string& document_region);

}  // namespace prefixfs::s3
