#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace prefixfs {

/// Counters by name. Thread-safe; a counter's address stays valid as long as the Metrics.
class Metrics {
 public:
  std::atomic<std::uint64_t>& counter(const std::string& name);
  std::map<std::string, std::uint64_t> snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<std::atomic<std::uint64_t>>> counters_;
};

}  // namespace prefixfs
