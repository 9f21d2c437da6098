// Waiting for the delivery of some intents, and the public face of the queue.

#include <fmt/format.h>

#include <utility>

#include "delivery_impl.h"

namespace prefixfs::sync {

namespace {

// The deadline is the injected clock's, so the wait looks at it now and then.
constexpr std::chrono::milliseconds kLookAtDeadline{20};

Error refusal_of(const DeliveryState& state) {
  return state.last_error ? *state.last_error
                          : Error{Errc::io, fmt::format("change {} was refused by S3 before the start, and waits for a retry", state.id), {}};
}

}  // namespace

DeliveryQueue::Impl::Ids DeliveryQueue::Impl::join(Waiter& waiter, std::span<const meta::IntentId> ids) {
  Ids joined;
  const auto enter = [&](Record& record) {
    if (record.state.phase == DeliveryPhase::parked && !waiter.refusal) {
      waiter.refusal = refusal_of(record.state);
    }
    end_linger(record);
    record.waiters.push_back(&waiter);
    joined.push_back(record.state.id);
  };
  if (ids.empty()) {
    for (auto& [id, record] : records_) {
      enter(record);
    }
  }
  for (const meta::IntentId id : ids) {
    if (const auto found = records_.find(id); found != records_.end()) {
      enter(found->second);
    }
  }
  waiter.left = joined.size();
  waiters_.insert(&waiter);
  wake_a_thread();
  return joined;
}

void DeliveryQueue::Impl::leave(Waiter& waiter, const Ids& joined) {
  waiters_.erase(&waiter);
  if (waiter.left == 0) {
    return;
  }
  for (const meta::IntentId id : joined) {
    if (const auto found = records_.find(id); found != records_.end()) {
      std::erase(found->second.waiters, &waiter);
    }
  }
}

void DeliveryQueue::Impl::tell(Waiter& waiter) {
  waiter.news = true;
  waiter.wake.notify_one();
}

void DeliveryQueue::Impl::tell_all() {
  for (Waiter* waiter : waiters_) {
    tell(*waiter);
  }
}

Result<void> DeliveryQueue::Impl::wait_as(Waiter& waiter, Lock& lock, const CallContext& context) {
  const auto has_news = [&waiter] { return std::exchange(waiter.news, false); };
  while (waiter.left > 0) {
    if (waiter.refusal) {
      return fail(*waiter.refusal);
    }
    if (stopping_ || context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "cancelled while S3 had not taken all changes");
    }
    if (outage_.error() && !waiter.through_outage) {
      return fail({Errc::unavailable, fmt::format("S3 has not taken all changes: {}", outage_.error()->what), outage_.error()->origin});
    }
    const SteadyTime until = context.until();
    if (until == SteadyTime::max()) {
      waiter.wake.wait(lock, context.cancel, has_news);
    } else if (clock_.steady() >= until) {
      return fail(Errc::timeout, "S3 has not taken all changes before the deadline");
    } else {
      waiter.wake.wait_for(lock, context.cancel, kLookAtDeadline, has_news);
    }
  }
  return {};
}

Result<void> DeliveryQueue::Impl::wait_for(std::span<const meta::IntentId> ids, bool through_outage, const CallContext& context) {
  Lock lock(mutex_);
  Waiter waiter{.through_outage = through_outage};
  const Ids joined = join(waiter, ids);
  auto result = wait_as(waiter, lock, context);
  leave(waiter, joined);
  return result;
}

Result<bool> DeliveryQueue::Impl::withdraw_after(meta::IntentId id, const CallContext& context) {
  Lock lock(mutex_);
  const auto ended = [&] {
    const auto found = records_.find(id);
    return found == records_.end() || found->second.state.phase != DeliveryPhase::running;
  };
  while (!ended()) {
    if (context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "cancelled while a change was on its way to S3");
    }
    if (clock_.steady() >= context.until()) {
      return fail(Errc::timeout, "a change is on its way to S3, and that takes longer than this call may");
    }
    concluded_.wait_for(lock, context.cancel, kLookAtDeadline, ended);
  }
  return withdraw_locked(id);
}

// ---- the public face ----

DeliveryQueue::DeliveryQueue(const DeliveryOptions& options, Deliver deliver, const Clock& clock, Random& random, Log& log)
    : impl_(std::make_unique<Impl>(options, std::move(deliver), clock, random, log)) {}

DeliveryQueue::~DeliveryQueue() { stop(); }

void DeliveryQueue::add(meta::IntentId id, std::vector<std::string> keys, bool batchable, bool parked, std::chrono::nanoseconds linger) {
  impl_->add(id, std::move(keys), batchable, parked, linger);
}

bool DeliveryQueue::withdraw(meta::IntentId id) { return impl_->withdraw(id); }
bool DeliveryQueue::is_followed(std::span<const meta::IntentId> ids) const { return impl_->is_followed(ids); }

Result<bool> DeliveryQueue::withdraw_after(meta::IntentId id, const CallContext& context) { return impl_->withdraw_after(id, context); }

Result<void> DeliveryQueue::wait_for(std::span<const meta::IntentId> ids, bool through_outage, const CallContext& context) {
  return impl_->wait_for(ids, through_outage, context);
}

void DeliveryQueue::resume() { impl_->resume(); }
void DeliveryQueue::retry(std::optional<meta::IntentId> id) { impl_->retry(id); }

std::vector<DeliveryState> DeliveryQueue::states() const { return impl_->states(); }

std::size_t DeliveryQueue::size() const { return impl_->size(); }

std::optional<Error> DeliveryQueue::outage() const { return impl_->outage(); }

void DeliveryQueue::stop() { impl_->stop(); }

}  // namespace prefixfs::sync
