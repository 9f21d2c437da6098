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
  /// Whether multipart uploads get whole-object checksums. Only where the endpoint is AWS, or says so: MinIO refuses UploadPartCopy into
  /// such an upload (2026-02), and versitygw 1.8 takes the whole source's checksum for that of the range.
  bool multipart_checksums() const;
  /// Some servers say in each answer who they are.
  void see(const http::Response& response);

 private:
  const std::string endpoint_name_;
  EndpointMemory& memory_;
  Log& log_;
  mutable std::mutex mutex_;
  Capabilities known_;
  bool whole_s3_ = false;  ///< AWS, or an endpoint with the same behaviour down to its oddities
};

}  // namespace prefixfs::s3
