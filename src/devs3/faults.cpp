#include "faults.h"

#include <array>

namespace prefixfs::devs3 {
namespace {

constexpr std::array<std::string_view, 10> kActionNames{"status",      "reset", "reset_mid_body", "truncate",    "latency", "slow_body",
                                                        "lost_answer", "hang",  "corrupt_body",   "error_in_200"};
constexpr std::chrono::seconds kHangMax{60};

}  // namespace

std::string_view action_name(FaultAction action) { return kActionNames[static_cast<std::size_t>(action)]; }

void Faults::replace(std::vector<FaultRule> rules) {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  for (auto& rule : rules) {
    const auto seed = rule.seed;
    rules_.push_back({{std::move(rule), 0, 0}, std::mt19937_64(seed)});
  }
  ++generation_;
  changed_.notify_all();
}

std::vector<Faults::Count> Faults::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<Count> out;
  for (const auto& armed : rules_) {
    out.push_back(armed.count);
  }
  return out;
}

void Faults::set_base_latency(std::chrono::milliseconds latency) {
  const std::lock_guard lock(mutex_);
  base_latency_ = latency;
}

bool Faults::fires(Armed& armed) {
  auto& count = armed.count;
  if (++count.matched <= count.rule.skip || (count.rule.count >= 0 && count.fired >= count.rule.count)) {
    return false;
  }
  // By hand: the standard distributions differ between libraries, and a seed must mean the same everywhere.
  const double drawn = static_cast<double>(armed.random() >> 11) * 0x1.0p-53;
  if (drawn >= count.rule.probability) {
    return false;
  }
  ++count.fired;
  return true;
}

Fault Faults::decide(std::string_view operation, std::string_view key) {
  const std::lock_guard lock(mutex_);
  Fault fault;
  fault.latency = base_latency_;
  for (auto& armed : rules_) {
    const auto& rule = armed.count.rule;
    const bool matches = (rule.operation == "*" || rule.operation == operation) && key.find(rule.key) != std::string_view::npos;
    const bool is_latency = rule.action == FaultAction::latency;
    if (!matches || (fault.active && !is_latency) || !fires(armed)) {
      continue;
    }
    if (is_latency) {
      fault.latency += std::chrono::milliseconds(rule.latency_ms);
    } else {
      fault.active = true;
      fault.rule = rule;
    }
  }
  return fault;
}

void Faults::hang() {
  std::unique_lock lock(mutex_);
  const auto generation = generation_;
  changed_.wait_for(lock, kHangMax, [&] { return stopping_ || generation_ != generation; });
}

void Faults::sleep(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&] { return stopping_; });
}

void Faults::shut_down() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace prefixfs::devs3
