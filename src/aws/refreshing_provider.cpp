#include "refreshing_provider.h"

#include <pthread.h>

#include <algorithm>

#include "prefixfs/base/time_format.h"
#include "prefixfs/base/wait_within.h"

namespace prefixfs::aws {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr auto kAdvisoryWindow = 15min;
constexpr auto kMandatoryWindow = 5min;
constexpr seconds kPause{1};
constexpr seconds kLongestPause{60};
/// Credentials that come already expired: the source itself has trouble (AWS calls it static stability), and S3 may still take them.
constexpr seconds kExpiredRecheck{60};

bool same_keys(const Credentials& a, const Credentials& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key && a.session_token == b.session_token;
}

}  // namespace

RefreshingProvider::RefreshingProvider(std::unique_ptr<CredentialsSource> source, const Clock& clock, Log& log)
    : source_(std::move(source)), clock_(clock), log_(log), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

RefreshingProvider::~RefreshingProvider() {
  thread_.request_stop();
  thread_.join();
}

bool RefreshingProvider::may_ask() const { return clock_.steady() >= ask_not_before_; }

RefreshingProvider::Need RefreshingProvider::need() const {
  if (!current_ || (refused_ && (failures_ > 0 || may_ask()))) {
    return Need::now;
  }
  if (!current_->expires || clock_.now() < advisory_time_ || !may_ask()) {
    return Need::none;
  }
  // While the source is down callers do not wait for it: the old credentials may well be good for longer.
  return clock_.now() >= mandatory_time_ && failures_ == 0 ? Need::now : Need::background;
}

Result<Credentials> RefreshingProvider::get(const CallContext& context) {
  std::unique_lock lock(mutex_);
  const Need needed = need();
  if (needed != Need::none && !wanted_ && may_ask()) {
    wanted_ = true;
    changed_.notify_all();
  }
  if (needed != Need::now) {
    return *current_;
  }
  if (wanted_) {
    const auto answered = [this, before = asked_] { return asked_ != before; };
    // No bytes of the call move while it waits here, so its deadline stands still.
    if (!wait_within(changed_, lock, context, answered)) {
      return context.cancel.stop_requested() ? fail(Errc::cancelled, "the wait for AWS credentials was interrupted")
                                             : fail(Errc::timeout, "the deadline passed before there were AWS credentials");
    }
  }
  if (current_ && !(refused_ && failure_)) {
    return *current_;
  }
  return fail(*failure_);
}

void RefreshingProvider::refused(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  refused_ = refused_ || (current_ && same_keys(*current_, credentials));
}

void RefreshingProvider::run(std::stop_token stop) {
  pthread_setname_np(pthread_self(), "credentials");
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return wanted_; })) {
    lock.unlock();
    auto answer = source_->fetch({.deadline = SteadyTime::max(), .cancel = stop});
    lock.lock();
    if (!answer) {
      note_failure(std::move(answer.error()));
    } else if (auto* const credentials = std::get_if<Credentials>(&*answer)) {
      keep(std::move(*credentials));
    } else {
      note_failure({Errc::credentials, std::get<NotHere>(*answer).why, {}});
    }
    wanted_ = false;
    ++asked_;
    changed_.notify_all();
  }
}

void RefreshingProvider::keep(Credentials credentials) {
  const bool is_new = !current_ || !same_keys(*current_, credentials);
  if (is_new || failures_ > 0) {
    const std::string until = credentials.expires ? ", valid until " + format_iso8601(*credentials.expires) : "";
    log_.info("credentials: {}{}", describe(credentials), until);
  }
  failure_.reset();
  failures_ = 0;
  refused_ = false;
  ask_not_before_ = is_new ? SteadyTime{} : clock_.steady() + kPause;
  if (credentials.expires) {
    // Halfway and three quarters: for credentials that live shorter than the windows.
    const WallTime now = clock_.now();
    const auto left = *credentials.expires - now;
    advisory_time_ = left > 0s ? std::max(*credentials.expires - kAdvisoryWindow, now + left / 2) : now + kExpiredRecheck;
    mandatory_time_ = left > 0s ? std::max(*credentials.expires - kMandatoryWindow, now + left / 4 * 3) : WallTime::max();
  }
  current_ = std::move(credentials);
}

void RefreshingProvider::note_failure(Error error) {
  const bool is_news = !failure_ || failure_->what != error.what;
  failures_ = std::min(failures_ + 1, 30);
  const bool in_use = current_ && !refused_;
  ask_not_before_ = clock_.steady() + (in_use ? std::min(kLongestPause, kPause * (1 << std::min(failures_, 6))) : kPause);
  if (is_news) {  // a source that stays down for days shall not fill the log
    log_.warn("credentials: {}{}", error.what, in_use ? "; the old ones stay in use" : "");
  }
  failure_ = std::move(error);
}

}  // namespace prefixfs::aws
