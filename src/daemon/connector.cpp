#include "connector.h"

#include <algorithm>

namespace prefixfs::daemon {
namespace {

constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kPauseMax{5000};
constexpr std::chrono::seconds kAttemptTime{10};

}  // namespace

Connector::Connector(vfs::Filesystem& filesystem, const s3::Breaker& breaker, bool connected, const Clock& clock, Log& log)
    : filesystem_(filesystem),
      breaker_(breaker),
      clock_(clock),
      log_(log),
      thread_([this, connected](std::stop_token stop) { run(std::move(stop), connected); }) {}

void Connector::run(std::stop_token stop, bool connected) {
  if (!connected && ask_until_answered(stop)) {
    log_.info("S3 answers: bucket and credentials are right");
  }
  while (breaker_.wait_until_open(stop) && ask_until_answered(stop)) {
    filesystem_.resume();
  }
}

bool Connector::ask_until_answered(const std::stop_token& stop) {
  std::string told;
  auto pause = kFirstPause;
  while (!stop.stop_requested()) {
    const auto connected = filesystem_.probe({clock_.steady() + kAttemptTime, stop});
    if (connected) {
      return true;
    }
    if (!stop.stop_requested() && connected.error().what != told) {
      told = connected.error().what;
      log_.error("S3 cannot be used yet, trying again in the background: {}", describe(connected.error()));
    }
    clock_.sleep_for(pause, stop);
    pause = std::min(pause * 2, kPauseMax);
  }
  return false;
}

}  // namespace prefixfs::daemon
