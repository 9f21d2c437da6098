#pragma once
// The body of DeliveryQueue: its threads, and who waits for what.

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "key_order.h"
#include "outage.h"
#include "prefixfs/sync/delivery_queue.h"

namespace prefixfs::sync {

/// One mutex; no call of Deliver and no sleep is made with it held.
class DeliveryQueue::Impl {
 public:
  Impl(const DeliveryOptions& options, Deliver deliver, const Clock& clock, Random& random, Log& log);

  void add(meta::IntentId id, std::vector<std::string> keys, bool batchable, bool parked, std::chrono::nanoseconds linger);
  bool withdraw(meta::IntentId id);
  Result<bool> withdraw_after(meta::IntentId id, const CallContext& context);
  bool is_followed(std::span<const meta::IntentId> ids) const;
  Result<void> wait_for(std::span<const meta::IntentId> ids, bool through_outage, const CallContext& context);
  void resume() { end_pauses(); }
  void retry(std::optional<meta::IntentId> id);
  std::vector<DeliveryState> states() const;
  std::size_t size() const;
  std::optional<Error> outage() const;
  void stop();

 private:
  using Ids = std::vector<meta::IntentId>;
  using Lock = std::unique_lock<std::mutex>;

  /// One call of wait_for(). What it waits for counts it down.
  struct Waiter {
    const bool through_outage;
    std::size_t left = 0;
    std::optional<Error> refusal;  ///< of the first that is parked
    bool news = false;
    std::condition_variable_any wake = {};  // only _any listens to a stop_token
  };
  struct Record {
    DeliveryState state;
    bool resting = false;  ///< after Errc::cancelled
    std::optional<SteadyTime> lingers_until = {};  ///< alone
    bool gathers = false;                          ///< lingers with the others of gathering_
    std::vector<Waiter*> waiters = {};
  };

  /// Batchable ones that linger together, since each that comes may be followed by another.
  struct Gathering {
    SteadyTime first{};  ///< when its first one came
    SteadyTime until{};
    std::set<meta::IntentId> ids = {};
  };

  // All with mutex_ held; those that take the lock let it go meanwhile.
  bool withdraw_locked(meta::IntentId id);
  bool may_begin() const;
  void wake_a_thread();
  void begin_thread();
  void forget(meta::IntentId id);
  void begin_linger(Record& record, bool batchable, std::chrono::nanoseconds linger);
  void end_linger(Record& record);
  void end_lingers_of_the_past();
  void run_lingerer(const std::stop_token& stop);
  void run();
  void probe(Lock& lock);
  void deliver(Lock& lock, const Ids& ids);
  std::vector<Result<void>> call(Lock& lock, const Ids& ids);
  void conclude(const Ids& ids, std::vector<Result<void>>& results, std::uint64_t began_in);
  void park(Record& record, const Error& error);
  void note_outage(const Error& error, std::uint64_t began_in);
  void note_answer(std::uint64_t began_in);
  void rest(Lock& lock, const Ids& ids);
  void pause(Lock& lock, std::chrono::nanoseconds duration);
  Ids join(Waiter& waiter, std::span<const meta::IntentId> ids);
  void leave(Waiter& waiter, const Ids& joined);
  Result<void> wait_as(Waiter& waiter, Lock& lock, const CallContext& context);
  static void tell(Waiter& waiter);
  void tell_all();
  /// Without mutex_: a listener may be anybody's.
  void end_pauses();

  const DeliveryOptions options_;
  const Deliver deliver_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  std::stop_source stop_;  ///< of what runs

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable_any concluded_;  ///< an attempt has ended
  std::map<meta::IntentId, Record> records_;
  KeyOrder order_;
  Outage outage_;
  std::set<Waiter*> waiters_;
  std::stop_source pauses_;  ///< of the pauses that are being made
  std::size_t idle_ = 0;     ///< threads that wait for work
  bool probing_ = false;     ///< a thread pauses for the outage, or tries one
  bool stopping_ = false;
  bool told_of_threads_ = false;
  std::mutex joining_;  ///< taken before mutex_
  std::vector<std::jthread> threads_;
  std::multimap<SteadyTime, meta::IntentId> lingering_;
  Gathering gathering_;
  std::condition_variable_any lingers_;
  std::jthread lingerer_;  ///< offers what has lingered long enough
};

}  // namespace prefixfs::sync
