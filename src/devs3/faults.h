#pragma once
// Breaking on purpose: rules that a test sets, matched against each request.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace prefixfs::devs3 {

enum class FaultAction {
  status,          ///< answer `status` and `code`, do nothing
  reset,           ///< close the connection before doing or answering anything
  reset_mid_body,  ///< half of the answer's body, then a reset
  truncate,        ///< half of the answer's body, then an orderly close
  latency,         ///< wait `ms` first; other rules apply besides
  slow_body,       ///< bodies run at `bytes_per_second`, both ways
  lost_answer,     ///< do it, then close without an answer
  hang,            ///< no answer until the rules are replaced, 60 s at most
  corrupt_body,    ///< one byte of the answer's body is flipped
  error_in_200,    ///< CopyObject and CompleteMultipartUpload answer 200 with <Error>, and do nothing
};

struct FaultRule {
  std::string operation = "*";
  std::string key;  ///< a substring; empty: any
  std::int64_t skip = 0;
  std::int64_t count = -1;  ///< how often it fires; -1: for ever
  double probability = 1;
  std::uint64_t seed = 1;
  FaultAction action = FaultAction::status;
  int status = 503;
  std::string code = "SlowDown";
  int retry_after_s = 0;  ///< Retry-After; 0: none
  int latency_ms = 0;
  std::uint64_t bytes_per_second = 0;
};

/// What the rules decided for one request.
struct Fault {
  std::chrono::milliseconds latency{};
  bool active = false;  ///< `rule` is to be applied
  FaultRule rule;
  bool is(FaultAction action) const { return active && rule.action == action; }
};

/// Thread-safe.
class Faults {
 public:
  struct Count {
    FaultRule rule;
    std::int64_t matched = 0;
    std::int64_t fired = 0;
  };

  void replace(std::vector<FaultRule> rules);
  std::vector<Count> counts() const;
  void set_base_latency(std::chrono::milliseconds latency);
  /// The base latency, that of every latency rule that fires, and the first other rule that fires.
  Fault decide(std::string_view operation, std::string_view key);
  /// Waits until replace(), shut_down() or 60 s.
  void hang();
  /// Sleeps; shut_down() wakes it.
  void sleep(std::chrono::milliseconds duration);
  void shut_down();

 private:
  struct Armed {
    Count count;
    std::mt19937_64 random;
  };
  static bool fires(Armed& armed);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Armed> rules_;
  std::chrono::milliseconds base_latency_{};
  std::uint64_t generation_ = 0;
  bool stopping_ = false;
};

std::string_view action_name(FaultAction action);

}  // namespace prefixfs::devs3
