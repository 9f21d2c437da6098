#include "region.h"

#include <algorithm>

#include <fmt/format.h>

#include "address.h"

namespace prefixfs::s3 {

namespace {

std::string first_region(const std::string& configured, const std::optional<std::string>& remembered, const std::string& by_host) {
  if (!configured.empty()) {
    return configured;
  }
  if (remembered && is_region_name(*remembered)) {
    return *remembered;
  }
  return by_host;
}

/// Knows every bucket, and is the only one that does ("Virtual hosting of buckets", S3 User Guide).
constexpr const char* kGuess = "us-east-1";
constexpr std::chrono::seconds kAskTime{2};
constexpr std::chrono::seconds kBetweenAsks{5};

}  // namespace

RegionBook::RegionBook(std::string bucket, std::string endpoint_name, const std::string& configured, const std::string& by_host,
                       EndpointMemory& memory, Log& log)
    : bucket_(std::move(bucket)),
      memory_name_(fmt::format("region {} {}", endpoint_name, bucket_)),
      memory_(memory),
      log_(log),
      region_(first_region(configured, memory.recall(memory_name_), by_host)) {}

std::string RegionBook::current() const {
  const std::lock_guard lock(mutex_);
  return region_.empty() ? kGuess : region_;
}

bool RegionBook::told() const {
  const std::lock_guard lock(mutex_);
  return !region_.empty();
}

void RegionBook::assume(const std::string& region) {
  const std::lock_guard lock(mutex_);
  if (region_.empty() && is_region_name(region)) {
    region_ = region;
  }
}

bool RegionBook::learn(const std::string& region, const std::string& signed_for) {
  if (!is_region_name(region) || region == signed_for) {
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    if (region_ == region) {
      return true;  // another thread has learnt it meanwhile
    }
    region_ = region;
  }
  log_.warn("bucket {} is in {}, not {}; set region={} to save the first request of each start", bucket_, region, signed_for, region);
  memory_.remember(memory_name_, region);
  return true;
}

std::optional<std::string> HostRegion::find(const CallContext& context) {
  if (settled_) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  if (settled_ || clock_.steady() < ask_not_before_) {
    return std::nullopt;
  }
  const auto region = ask_({.deadline = std::min(context.until(), clock_.steady() + kAskTime), .cancel = context.cancel});
  if (!region) {
    log_.debug("{}", region.error().what);
    ask_not_before_ = clock_.steady() + kBetweenAsks;
    return std::nullopt;
  }
  log_.info("no region is configured; this host is in {}", *region);
  settled_ = true;
  return *region;
}

std::optional<std::string> region_told(const http::Response& response, const std::string& document_region) {
  if (const auto header = response.header("x-amz-bucket-region"); header && is_region_name(*header)) {
    return std::string(*header);
  }
  if (is_region_name(document_region)) {
    return document_region;
  }
  return std::nullopt;
}

}  // namespace prefixfs::s3
