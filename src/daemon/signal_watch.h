#pragma once

#include <pthread.h>

#include <csignal>
#include <functional>
#include <thread>

#include "worker.h"

namespace prefixfs::daemon {

/// Waits for SIGTERM, SIGINT, SIGHUP and kUpgradeSignal. They are blocked in every thread that is started later.
class SignalWatch {
 public:
  SignalWatch() {
    ::sigemptyset(&watched_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, kUpgradeSignal, end_signal()}) {
      ::sigaddset(&watched_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }

  void start(std::function<void(int)> on_signal) {
    thread_ = std::jthread([this, on_signal = std::move(on_signal)] {
      int number = 0;
      while (::sigwait(&watched_, &number) == 0 && number != end_signal()) {
        on_signal(number);
      }
    });
  }

  ~SignalWatch() { stop(); }

  /// Afterwards nothing is called any more.
  void stop() {
    if (thread_.joinable()) {
      ::pthread_kill(thread_.native_handle(), end_signal());
      thread_.join();
    }
  }

 private:
  static int end_signal() { return SIGRTMIN; }

  sigset_t watched_{};
  std::jthread thread_;
};

}  // namespace prefixfs::daemon
