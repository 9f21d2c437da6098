#include "prefixfs/telemetry/metrics.h"

namespace prefixfs {

std::atomic<std::uint64_t>& Metrics::counter(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& slot = counters_[name];
  if (!slot) {
    slot = std::make_unique<std::atomic<std::uint64_t>>(0);
  }
  return *slot;
}

std::map<std::string, std::uint64_t> Metrics::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t> values;
  for (const auto& [name, counter] : counters_) {
    values.emplace_hint(values.end(), name, counter->load(std::memory_order_relaxed));
  }
  return values;
}

}  // namespace prefixfs
