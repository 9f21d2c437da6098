#pragma once

#include <thread>

#include "prefixfs/base/clock.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::daemon {

/// Asks S3 in the background, from the moment of the mount, until bucket and credentials have proved right: at boot the network, DNS
/// and the metadata service may come later than the mount. Each new kind of failure is one log line.
class Connector {
 public:
  Connector(vfs::Filesystem& filesystem, const Clock& clock, Log& log);
  ~Connector() = default;  // stops and joins

 private:
  void run(std::stop_token stop);

  vfs::Filesystem& filesystem_;
  const Clock& clock_;
  Log& log_;
  std::jthread thread_;
};

}  // namespace prefixfs::daemon
