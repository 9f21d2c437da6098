#include "loop.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>

namespace prefixfs::http {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr long kIdleConnectionsMax = 128;
constexpr std::size_t kGatherBytes = 256 * 1024;  ///< what libcurl receives at once
constexpr milliseconds kPollMax{60'000};

/// Signals belong to the daemon's own thread; a write to a closed socket must not end the process.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}
}  // namespace

bool Inbox::start(TransferPtr transfer) {
  const std::lock_guard lock(mutex_);
  if (multi_ == nullptr) {
    return false;
  }
  content_.started.push_back(std::move(transfer));
  curl_multi_wakeup(multi_);
  return true;
}

void Inbox::cancel(TransferPtr transfer) {
  const std::lock_guard lock(mutex_);
  if (multi_ != nullptr) {
    content_.cancelled.push_back(std::move(transfer));
    curl_multi_wakeup(multi_);
  }
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  content_.closed = true;
  if (multi_ != nullptr) {
    curl_multi_wakeup(multi_);
  }
  multi_ = nullptr;
}

Inbox::Content Inbox::take() {
  const std::lock_guard lock(mutex_);
  Content taken = std::move(content_);
  content_ = Content{};
  content_.closed = taken.closed;
  return taken;
}

Loop::Loop(std::size_t transfers_per_origin_max)
    : transfers_per_origin_max_(std::max<std::size_t>(1, transfers_per_origin_max)), share_(curl_share_init()), multi_(curl_multi_init()), gather_(kGatherBytes) {
  // Without this each easy handle keeps TLS sessions of its own, and a new connection rarely resumes one. No locks: one thread.
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  inbox_ = std::make_shared<Inbox>(multi_.get());
  thread_ = std::jthread([this] { run(); });
}

Loop::~Loop() {
  inbox_->close();
  thread_.join();
  idle_.clear();
}

void Loop::run() {
  pthread_setname_np(pthread_self(), "http-loop");
  block_signals();
  while (take_inbox()) {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    gather_.pass_on();
    collect_finished();
    const SteadyTime wake_time = check_all(steady_clock::now());
    poll_until(wake_time);
  }
  end_all();
}

/// False: the engine is being destroyed.
bool Loop::take_inbox() {
  Inbox::Content content = inbox_->take();
  for (TransferPtr& transfer : content.started) {
    const std::string origin = transfer->origin().text;
    lanes_[origin].waiting.push_back(std::move(transfer));
    start_waiting(origin);
  }
  for (const TransferPtr& transfer : content.cancelled) {
    if (!transfer->finished()) {
      end_with(transfer, {Errc::cancelled, fmt::format("the request to {} was interrupted", transfer->origin().text), {}});
    }
  }
  return !content.closed;
}

void Loop::start_waiting(const std::string& origin) {
  Lane& lane = lanes_[origin];
  while (lane.active < transfers_per_origin_max_ && !lane.waiting.empty()) {
    const TransferPtr transfer = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    start(transfer, lane);
  }
  if (lane.active == 0 && lane.waiting.empty()) {
    lanes_.erase(origin);
  }
}

void Loop::start(const TransferPtr& transfer, Lane& lane) {
  EasyHandle easy = take_easy();
  if (!easy) {
    transfer->abort({Errc::internal, "out of memory", {}});
    return;
  }
  if (auto started = transfer->start(std::move(easy), gather_, steady_clock::now()); !started) {
    idle_.push_back(transfer->release());
    transfer->abort(std::move(started.error()));
    return;
  }
  if (const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer->easy()); code != CURLM_OK) {
    idle_.push_back(transfer->release());
    transfer->abort({Errc::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)), {}});
    return;
  }
  ++lane.active;
  active_.emplace(transfer.get(), transfer);
}

EasyHandle Loop::take_easy() {
  if (!idle_.empty()) {
    EasyHandle easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }
  EasyHandle easy(curl_easy_init());
  if (easy) {
    curl_easy_setopt(easy.get(), CURLOPT_SHARE, share_.get());  // survives curl_easy_reset
  }
  return easy;
}

void Loop::collect_finished() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    Transfer* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    const CURLcode code = message->data.result;  // the message dies with the handle's removal
    const TransferPtr transfer = active_.at(found);
    curl_multi_remove_handle(multi_.get(), transfer->easy());
    transfer->complete(code);
    detach(transfer);
  }
}

/// Ends what is past its time; returns when to look again.
SteadyTime Loop::check_all(SteadyTime now) {
  std::vector<std::pair<TransferPtr, Error>> late;
  SteadyTime wake_time = SteadyTime::max();
  const auto look = [&](const TransferPtr& transfer) {
    if (auto error = transfer->check(now)) {
      late.emplace_back(transfer, std::move(*error));
    } else {
      wake_time = std::min(wake_time, transfer->next_check());
    }
  };
  for (const auto& [key, transfer] : active_) {
    look(transfer);
  }
  for (const auto& [origin, lane] : lanes_) {
    std::ranges::for_each(lane.waiting, look);
  }
  for (auto& [transfer, error] : late) {
    end_with(transfer, std::move(error));
  }
  return late.empty() ? wake_time : now;  // what waited may have started: perform it at once
}

void Loop::end_with(const TransferPtr& transfer, Error error) {
  if (transfer->active()) {
    curl_multi_remove_handle(multi_.get(), transfer->easy());
    transfer->abort(std::move(error));
    detach(transfer);
    return;
  }
  std::erase(lanes_[transfer->origin().text].waiting, transfer);
  transfer->abort(std::move(error));
  start_waiting(transfer->origin().text);
}

/// The handle goes back to the pool, and the place in the lane to whoever waits.
void Loop::detach(const TransferPtr& transfer) {
  idle_.push_back(transfer->release());
  active_.erase(transfer.get());
  --lanes_[transfer->origin().text].active;
  start_waiting(transfer->origin().text);
}

void Loop::poll_until(SteadyTime wake_time) {
  const SteadyTime now = steady_clock::now();
  milliseconds wait = kPollMax;
  if (wake_time <= now) {
    wait = milliseconds(0);
  } else if (wake_time - now < kPollMax) {
    wait = std::chrono::ceil<milliseconds>(wake_time - now);
  }
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
}

void Loop::end_all() {
  Inbox::Content content = inbox_->take();
  std::vector<TransferPtr> rest = std::move(content.started);
  for (auto& [origin, lane] : lanes_) {
    rest.insert(rest.end(), lane.waiting.begin(), lane.waiting.end());
  }
  lanes_.clear();
  for (const auto& [key, transfer] : active_) {
    curl_multi_remove_handle(multi_.get(), transfer->easy());
    idle_.push_back(transfer->release());
    rest.push_back(transfer);
  }
  active_.clear();
  for (const TransferPtr& transfer : rest) {
    transfer->abort({Errc::cancelled, fmt::format("the request to {} was ended by the shutdown", transfer->origin().text), {}});
  }
}

}  // namespace prefixfs::http
