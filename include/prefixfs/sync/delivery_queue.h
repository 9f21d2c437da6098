#pragma once
// When is which intent of the journal delivered? Order, parallelism, pauses during an outage; not how, which is the Deliver function.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/random.h"
#include "prefixfs/base/result.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

struct DeliveryOptions {
  std::size_t threads = 16;
  std::size_t batch_max = 1000;  ///< removals in one call of Deliver
  std::chrono::nanoseconds first_pause = std::chrono::milliseconds(500);
  std::chrono::nanoseconds pause_max = std::chrono::seconds(30);
};

enum class DeliveryPhase : std::uint8_t {
  waiting,  ///< for a thread, for an earlier intent of the same name, or for S3 to answer again
  running,
  parked,   ///< refused for good: waits for retry()
};

struct DeliveryState {
  meta::IntentId id = 0;
  DeliveryPhase phase = DeliveryPhase::waiting;
  unsigned attempts = 0;
  std::optional<Error> last_error;
};

/// Thread-safe. Intents that share a key are delivered one after another in the order of add(); others beside each other.
/// An attempt that ends with an outage (see is_outage()) makes the whole queue pause, with full jitter and doubling pauses, and then
/// one intent at a time is tried until one gets through. Any other error parks its intent; later intents of its keys wait behind it.
class DeliveryQueue {
 public:
  /// Does `ids` and says for each how it ended: success ends the intent, which is then forgotten here. Several ids come only where all of
  /// them were added as batchable. Called from the queue's threads with no lock held; may call add() and withdraw().
  /// `context.cancel` is the end of the queue: errc::cancelled then leaves the intent waiting.
  using Deliver = std::function<std::vector<Result<void>>(std::span<const meta::IntentId> ids, const CallContext& context)>;

  DeliveryQueue(const DeliveryOptions& options, Deliver deliver, const Clock& clock, Random& random, Log& log);
  ~DeliveryQueue();  ///< stop()
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  /// `keys`: what the intent reads or changes in S3, at least one. `batchable`: it may be delivered together with others. `parked`: as it was
  /// when a former process ended. An id that is there already stays as it is.
  /// `linger`: so long it does not start by itself, since more may come that makes it part of a batch, or void; unless somebody waits for it.
  /// Batchable ones start together, when none has come for as long, or the first is twenty times as old, or a batch is full.
  void add(meta::IntentId id, std::vector<std::string> keys, bool batchable = false, bool parked = false, std::chrono::nanoseconds linger = {});
  /// True: it was not running, and is forgotten. False: it is being delivered, or has been.
  bool withdraw(meta::IntentId id);
  /// The same once an attempt that is running has ended: true, if it did not succeed. Errors: timeout, cancelled.
  Result<bool> withdraw_after(meta::IntentId id, const CallContext& context);

  /// Whether an intent that is none of `ids` waits for one of them: a later one in its place would come behind it.
  bool is_followed(std::span<const meta::IntentId> ids) const;

  /// Until each of `ids` (all that is there now, if empty) has been delivered or withdrawn.
  /// Errors: timeout, cancelled; the error of one that is parked; unavailable as soon as an outage lasts, where `through_outage` is false.
  Result<void> wait_for(std::span<const meta::IntentId> ids, bool through_outage, const CallContext& context);

  /// S3 is said to answer: a pause ends, if there is one.
  void resume();
  /// What is parked is tried again, and a pause ends. Nothing: all of them.
  void retry(std::optional<meta::IntentId> id);

  std::vector<DeliveryState> states() const;  ///< in the order of ids
  std::size_t size() const;
  /// Why the queue pauses; nothing while S3 answers.
  std::optional<Error> outage() const;

  /// Nothing is begun any more; what runs is cancelled and waited for.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Errors that say nothing of the intent itself: no answer, throttling, missing or expired credentials, a clock that is wrong, a bucket that is
/// not there. Not a full disk or quota: removals still get through.
bool is_outage(const Error& error);

}  // namespace prefixfs::sync
