#pragma once
// What the endpoint honours: known from the start, remembered, or learnt from its answers.

#include <array>
#include <mutex>
#include <string>

#include "prefixfs/http/engine.h"
#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

/// Thread-safe.
class CapabilityBook {
 public:
  using Field = Support Capabilities::*;

  CapabilityBook(std::string endpoint_name, bool aws, EndpointMemory& memory, Log& log);
  Capabilities get() const;
  Support get(Field field) const;
  /// Remembers, and logs the first time.
  void learn(Field field, Support support);
  /// Some servers say in each answer who they are.
  void see(const http::Response& response);

 private:
  const std::string endpoint_name_;
  EndpointMemory& memory_;
  Log& log_;
  mutable std::mutex mutex_;
  Capabilities known_;
};

}  // namespace prefixfs::s3
