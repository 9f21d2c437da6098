#include "connector.h"

#include <algorithm>

namespace prefixfs::daemon {
namespace {

constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kPauseMax{30000};
constexpr std::chrono::seconds kAttemptTime{10};

}  // namespace

Connector::Connector(vfs::Filesystem& filesystem, const Clock& clock, Log& log)
    : filesystem_(filesystem), clock_(clock), log_(log), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

void Connector::run(std::stop_token stop) {
  std::string told;
  auto pause = kFirstPause;
  while (!stop.stop_requested()) {
    const auto connected = filesystem_.probe({clock_.steady() + kAttemptTime, stop});
    if (connected) {
      log_.info("S3 answers: bucket and credentials are right");
      return;
    }
    if (stop.stop_requested()) {
      return;
    }
    if (connected.error().what != told) {
      told = connected.error().what;
      log_.error("S3 cannot be used yet, trying again in the background: {}", describe(connected.error()));
    }
    clock_.sleep_for(pause, stop);
    pause = std::min(pause * 2, kPauseMax);
  }
}

}  // namespace prefixfs::daemon
