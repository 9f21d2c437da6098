#pragma once
// While S3 does not answer, only the first call waits for it.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "prefixfs/base/clock.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::s3 {

/// Whether S3 is believed to answer. It opens when a call has ended, after all its retries, without an answer, without credentials, or because
/// the clock is wrong; and closes with the next answer of any kind. Thread-safe.
class Breaker {
 public:
  Breaker(const Clock& clock, Log& log) : clock_(clock), log_(log) {}

  bool open() const { return why().has_value(); }
  /// False: `stop` came first.
  bool wait_until_open(std::stop_token stop) const;
  /// Why it is open; nothing while S3 answers.
  std::optional<Error> why() const;
  WallTime since() const;  ///< when it opened last

  /// How a call has ended; null: well.
  void learn(const Error* error);

 private:
  const Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any opened_;
  std::optional<Error> why_;
  WallTime since_{};
};

/// The error says that S3 could not be reached or used at all, and nothing of the request.
bool is_outage(const Error& error);

/// Every call is tried, and tells the breaker how it ended.
std::unique_ptr<ObjectStore> make_watched_store(ObjectStore& inner, Breaker& breaker);
/// The same, but only an answer is told: for one who asks again and again whether S3 is there, at boot too, where others may still wait for it.
std::unique_ptr<ObjectStore> make_probing_store(ObjectStore& inner, Breaker& breaker);
/// While the breaker is open every call fails at once, with unavailable and why it is.
std::unique_ptr<ObjectStore> make_breaking_store(ObjectStore& inner, const Breaker& breaker);

}  // namespace prefixfs::s3
