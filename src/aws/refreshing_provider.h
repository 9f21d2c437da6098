#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "credentials_source.h"

namespace prefixfs::aws {

/// Keeps what a source gave, and asks again in time. The source is asked on a thread of its own, once for all callers who wait.
class RefreshingProvider final : public CredentialsProvider {
 public:
  RefreshingProvider(std::unique_ptr<CredentialsSource> source, const Clock& clock, Log& log);
  ~RefreshingProvider() override;
  RefreshingProvider(const RefreshingProvider&) = delete;
  RefreshingProvider& operator=(const RefreshingProvider&) = delete;

  Result<Credentials> get(const CallContext& context) override;
  void refused(const Credentials& credentials) override;

 private:
  enum class Need { none, background, now };

  Need need() const;
  bool may_ask() const;
  void run(std::stop_token stop);
  void keep(Credentials credentials);
  void note_failure(Error error);

  const std::unique_ptr<CredentialsSource> source_;
  const Clock& clock_;
  Log& log_;

  std::mutex mutex_;  // guards all below; never held while the source is asked
  std::condition_variable_any changed_;
  bool wanted_ = false;            ///< the thread shall ask, or is asking
  std::uint64_t asked_ = 0;        ///< how often the source has answered or failed
  std::optional<Credentials> current_;
  bool refused_ = false;           ///< S3 does not take current_
  WallTime advisory_time_{};       ///< from then on ask in the background
  WallTime mandatory_time_{};      ///< from then on callers wait
  std::optional<Error> failure_;   ///< of the last time, where it failed
  int failures_ = 0;               ///< in a row
  SteadyTime ask_not_before_{};    ///< pause after a failure, or after the same keys came once more

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace prefixfs::aws
