#include "prefixfs/sync/delivery_queue.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "delivery_impl.h"

namespace prefixfs::sync {

namespace {

// While more keeps coming, so many times as long as one alone lingers.
constexpr int kGatheringLingersMax = 20;

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

DeliveryQueue::Impl::Impl(const DeliveryOptions& options, Deliver deliver, const Clock& clock, Random& random, Log& log)
    : options_(options), deliver_(std::move(deliver)), clock_(clock), random_(random), log_(log) {}

// ---- what comes and goes ----

void DeliveryQueue::Impl::add(meta::IntentId id, std::vector<std::string> keys, bool batchable, bool parked, std::chrono::nanoseconds linger) {
  const std::lock_guard lock(mutex_);
  const bool lingers = !parked && !stopping_ && linger > std::chrono::nanoseconds::zero();
  if (!order_.add(id, std::move(keys), batchable, !parked && !lingers)) {
    return;
  }
  Record record{.state = {.id = id, .phase = parked ? DeliveryPhase::parked : DeliveryPhase::waiting}};
  if (lingers) {
    begin_linger(record, batchable, linger);
  }
  records_.emplace(id, std::move(record));
  wake_a_thread();
}

void DeliveryQueue::Impl::begin_linger(Record& record, bool batchable, std::chrono::nanoseconds linger) {
  const SteadyTime now = clock_.steady();
  const auto duration = std::chrono::duration_cast<SteadyTime::duration>(linger);
  if (batchable) {
    gathering_.first = gathering_.ids.empty() ? now : gathering_.first;
    gathering_.ids.insert(record.state.id);
    const bool full = gathering_.ids.size() >= options_.batch_max;
    gathering_.until = full ? now : std::min(now + duration, gathering_.first + kGatheringLingersMax * duration);
    record.gathers = true;
  } else {
    record.lingers_until = now + duration;
    lingering_.emplace(*record.lingers_until, record.state.id);
  }
  if (!lingerer_.joinable()) {
    lingerer_ = std::jthread([this](const std::stop_token& stop) { run_lingerer(stop); });
  }
  lingers_.notify_all();
}

void DeliveryQueue::Impl::end_linger(Record& record) {
  if (std::exchange(record.gathers, false)) {
    gathering_.ids.erase(record.state.id);
    order_.offer(record.state.id);
  }
  if (const auto until = std::exchange(record.lingers_until, std::nullopt)) {
    auto [at, end] = lingering_.equal_range(*until);
    at = std::find_if(at, end, [&](const auto& known) { return known.second == record.state.id; });
    lingering_.erase(at);
    order_.offer(record.state.id);
  }
}

void DeliveryQueue::Impl::end_lingers_of_the_past() {
  const SteadyTime now = clock_.steady();
  while (!lingering_.empty() && lingering_.begin()->first <= now) {
    end_linger(records_.at(lingering_.begin()->second));
    wake_a_thread();
  }
  if (gathering_.until > now) {
    return;
  }
  while (!gathering_.ids.empty()) {
    end_linger(records_.at(*gathering_.ids.begin()));
  }
  wake_a_thread();
}

void DeliveryQueue::Impl::run_lingerer(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kLook{20};  // one that came later may linger less
  Lock lock(mutex_);
  const auto something = [this] { return !lingering_.empty() || !gathering_.ids.empty(); };
  while (lingers_.wait(lock, stop, something) && !stop.stop_requested()) {
    end_lingers_of_the_past();
    if (something()) {
      lock.unlock();
      clock_.sleep_for(kLook, stop);
      lock.lock();
    }
  }
}

bool DeliveryQueue::Impl::withdraw(meta::IntentId id) {
  const std::lock_guard lock(mutex_);
  return withdraw_locked(id);
}

bool DeliveryQueue::Impl::withdraw_locked(meta::IntentId id) {
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.state.phase == DeliveryPhase::running) {
    return false;
  }
  forget(id);
  if (records_.empty()) {
    // Nobody would ask S3 any more: what comes tomorrow shall not hear of today's outage.
    if (const auto lasted = outage_.answered(outage_.epoch(), clock_.steady())) {
      log_.info("no change waits for S3 any more, which took none for {:.1f} s", seconds(*lasted));
    }
  }
  wake_a_thread();
  return true;
}

bool DeliveryQueue::Impl::is_followed(std::span<const meta::IntentId> ids) const {
  const std::lock_guard lock(mutex_);
  return order_.is_followed(ids);
}

void DeliveryQueue::Impl::forget(meta::IntentId id) {
  const auto found = records_.find(id);
  for (Waiter* waiter : found->second.waiters) {
    if (--waiter->left == 0) {
      tell(*waiter);
    }
  }
  end_linger(found->second);
  records_.erase(found);
  order_.remove(id);
}

void DeliveryQueue::Impl::retry(std::optional<meta::IntentId> id) {
  {
    const std::lock_guard lock(mutex_);
    auto at = id ? records_.find(*id) : records_.begin();
    const auto end = id && at != records_.end() ? std::next(at) : records_.end();
    for (; at != end; ++at) {
      if (at->second.state.phase == DeliveryPhase::parked) {
        at->second.state.phase = DeliveryPhase::waiting;
        order_.offer(at->first);
      }
    }
    wake_a_thread();
  }
  end_pauses();
}

std::vector<DeliveryState> DeliveryQueue::Impl::states() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeliveryState> states;
  states.reserve(records_.size());
  for (const auto& [id, record] : records_) {
    states.push_back(record.state);
  }
  return states;
}

std::size_t DeliveryQueue::Impl::size() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

std::optional<Error> DeliveryQueue::Impl::outage() const {
  const std::lock_guard lock(mutex_);
  return outage_.error();
}

// ---- threads ----

bool DeliveryQueue::Impl::may_begin() const { return !stopping_ && order_.has_ready() && !(outage_.error() && probing_); }

/// Who takes something wakes the next one in turn, so that one is enough for any number of intents.
void DeliveryQueue::Impl::wake_a_thread() {
  if (!may_begin()) {
    return;
  }
  if (idle_ > 0) {
    work_.notify_one();
  } else if (threads_.size() < std::max<std::size_t>(options_.threads, 1)) {
    begin_thread();
  }
}

void DeliveryQueue::Impl::begin_thread() {
  try {
    threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    // At the limit of threads fewer ones are slower, not wrong; where there is none yet, the next add() tries again.
    if (!std::exchange(told_of_threads_, true)) {
      log_.warn("changes are sent by {} threads instead of {}: {}", threads_.size(), options_.threads, error.what());
    }
  }
}

void DeliveryQueue::Impl::run() {
  ::pthread_setname_np(::pthread_self(), "deliver");
  Lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return stopping_ || may_begin(); });
    --idle_;
    if (stopping_) {
      return;
    }
    if (outage_.error()) {
      probe(lock);
    } else {
      deliver(lock, order_.take(options_.batch_max));
    }
  }
}

/// In an outage: a pause, then one attempt. Each time of another intent, as one that S3 never answers may not hold up all others.
void DeliveryQueue::Impl::probe(Lock& lock) {
  probing_ = true;
  pause(lock, outage_.pause(options_.first_pause, options_.pause_max, random_.next()));
  if (!stopping_) {
    deliver(lock, order_.take_in_turn());
  }
  probing_ = false;
  wake_a_thread();
}

void DeliveryQueue::Impl::pause(Lock& lock, std::chrono::nanoseconds duration) {
  const std::stop_token end = pauses_.get_token();
  lock.unlock();
  clock_.sleep_for(duration, end);
  lock.lock();
}

void DeliveryQueue::Impl::end_pauses() {
  std::stop_source pauses;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      std::swap(pauses, pauses_);
    } else {
      pauses = pauses_;  // no pause is begun after the end
    }
  }
  pauses.request_stop();
}

void DeliveryQueue::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    tell_all();
  }
  work_.notify_all();
  lingerer_.request_stop();
  stop_.request_stop();
  end_pauses();
  const std::lock_guard joining(joining_);
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  threads.clear();  // joins
  if (lingerer_.joinable()) {
    lingerer_.join();
  }
}

// ---- an attempt ----

void DeliveryQueue::Impl::deliver(Lock& lock, const Ids& ids) {
  if (ids.empty()) {
    return;
  }
  const std::uint64_t began_in = outage_.epoch();
  for (const meta::IntentId id : ids) {
    DeliveryState& state = records_.at(id).state;
    state.phase = DeliveryPhase::running;
    ++state.attempts;
  }
  wake_a_thread();
  std::vector<Result<void>> results = call(lock, ids);
  conclude(ids, results, began_in);
  rest(lock, ids);
}

std::vector<Result<void>> DeliveryQueue::Impl::call(Lock& lock, const Ids& ids) {
  std::vector<Result<void>> results;
  std::string why = "the delivery ended without a result";
  lock.unlock();
  try {
    results = deliver_(ids, {.cancel = stop_.get_token()});
  } catch (const std::exception& exception) {  // one bug must not take the mount away
    why = exception.what();
  } catch (...) {
    why = "the delivery threw";
  }
  lock.lock();
  results.resize(ids.size(), fail(Errc::internal, std::move(why)));
  return results;
}

void DeliveryQueue::Impl::conclude(const Ids& ids, std::vector<Result<void>>& results, std::uint64_t began_in) {
  std::optional<Error> outage;
  bool answered = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (results[i]) {
      forget(ids[i]);
      answered = true;
      continue;
    }
    Record& record = records_.at(ids[i]);
    const Error& error = results[i].error();
    record.state.last_error = error;
    record.state.phase = DeliveryPhase::waiting;
    if (error.code == Errc::cancelled) {
      record.resting = true;
    } else if (is_outage(error)) {
      order_.offer(ids[i]);
      outage = error;
    } else {
      park(record, error);
      answered = true;
    }
  }
  concluded_.notify_all();
  if (outage) {
    note_outage(*outage, began_in);
  } else if (answered) {
    note_answer(began_in);
  }
}

void DeliveryQueue::Impl::park(Record& record, const Error& error) {
  record.state.phase = DeliveryPhase::parked;
  log_.error("change {} was refused and waits for a retry, as do later ones of the same names: {}", record.state.id, describe(error));
  for (Waiter* waiter : record.waiters) {
    waiter->refusal = waiter->refusal ? waiter->refusal : error;
    tell(*waiter);
  }
}

void DeliveryQueue::Impl::note_outage(const Error& error, std::uint64_t began_in) {
  if (!stopping_ && outage_.failed(error, began_in, clock_.steady())) {
    log_.warn("S3 takes no changes, {} of them wait: {}", records_.size(), describe(error));
    tell_all();
  }
}

void DeliveryQueue::Impl::note_answer(std::uint64_t began_in) {
  if (const auto lasted = outage_.answered(began_in, clock_.steady())) {
    log_.info("S3 takes changes again after {:.1f} s, {} of them wait", seconds(*lasted), records_.size());
  }
}

/// What was cancelled though the queue goes on: not at once again.
void DeliveryQueue::Impl::rest(Lock& lock, const Ids& ids) {
  const auto resting = [this](meta::IntentId id) {
    const auto found = records_.find(id);
    return found != records_.end() && found->second.resting ? &found->second : nullptr;
  };
  if (std::ranges::none_of(ids, resting) || stopping_) {
    return;
  }
  wake_a_thread();
  pause(lock, options_.first_pause);
  for (const meta::IntentId id : ids) {
    if (Record* record = resting(id)) {  // it may have been withdrawn meanwhile
      record->resting = false;
      order_.offer(id);
    }
  }
}

}  // namespace prefixfs::sync
