#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "body_gather.h"
#include "curl_handles.h"
#include "transfer.h"

namespace prefixfs::http {

using TransferPtr = std::shared_ptr<Transfer>;

/// How other threads reach the loop. Outlives it where a caller still holds it. Thread-safe.
class Inbox {
 public:
  struct Content {
    std::vector<TransferPtr> started;
    std::vector<TransferPtr> cancelled;
    bool closed = false;
  };

  explicit Inbox(CURLM* multi) : multi_(multi) {}
  /// False when the loop has ended or is about to.
  bool start(TransferPtr transfer);
  void cancel(TransferPtr transfer);
  void close();
  Content take();

 private:
  std::mutex mutex_;
  CURLM* multi_;  ///< null once closed: the wake-up needs it alive
  Content content_;
};

/// The one thread that owns libcurl's multi handle and runs every transfer.
class Loop {
 public:
  explicit Loop(std::size_t transfers_per_origin_max);
  /// Ends what is in flight with Errc::cancelled.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::shared_ptr<Inbox> inbox() const { return inbox_; }

 private:
  /// Transfers to one scheme, host and port. What is over the limit waits here and not in libcurl, so that it holds no buffers,
  /// and in the order in which it came.
  struct Lane {
    std::size_t active = 0;
    std::deque<TransferPtr> waiting;
  };

  void run();
  bool take_inbox();
  void start_waiting(const std::string& origin);
  void start(const TransferPtr& transfer, Lane& lane);
  void collect_finished();
  SteadyTime check_all(SteadyTime now);
  void end_with(const TransferPtr& transfer, Error error);
  void detach(const TransferPtr& transfer);
  void poll_until(SteadyTime wake_time);
  void end_all();
  EasyHandle take_easy();

  const std::size_t transfers_per_origin_max_;
  CurlLibrary library_;
  ShareHandle share_;
  MultiHandle multi_;
  BodyGather gather_;
  std::vector<EasyHandle> idle_;
  std::map<Transfer*, TransferPtr> active_;
  std::map<std::string, Lane> lanes_;
  std::shared_ptr<Inbox> inbox_;
  std::jthread thread_;
};

}  // namespace prefixfs::http
