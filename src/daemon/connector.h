#pragma once

#include <thread>

#include "prefixfs/base/clock.h"
#include "prefixfs/s3/breaker.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::daemon {

/// Asks S3 in the background whether it answers: from the moment of the mount, until bucket and credentials have proved right (at boot the
/// network, DNS and the metadata service may come later than the mount), and whenever the breaker is open. Each new kind of failure is one
/// log line.
class Connector {
 public:
  /// `connected`: that has been found out already.
  Connector(vfs::Filesystem& filesystem, const s3::Breaker& breaker, bool connected, const Clock& clock, Log& log);
  ~Connector() = default;  // stops and joins

 private:
  void run(std::stop_token stop, bool connected);
  /// False: `stop` came first.
  bool ask_until_answered(const std::stop_token& stop);

  vfs::Filesystem& filesystem_;
  const s3::Breaker& breaker_;
  const Clock& clock_;
  Log& log_;
  std::jthread thread_;
};

}  // namespace prefixfs::daemon
