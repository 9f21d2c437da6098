#pragma once
// The daemon's end: answers the commands.

#include <memory>
#include <string>

#include "prefixfs/admin/report.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::admin {

/// Answers on `control.sock` (mode 0600) of a cache directory, for root and its owner, one request after another on one thread.
class Server {
 public:
  /// Whoever starts it owns the directory: a socket that is there is of a process that has died.
  /// Errors: denied, io.
  static Result<std::unique_ptr<Server>> start(const std::string& cache_dir, Subject& subject, Log& log);
  virtual ~Server() = default;  ///< the socket goes, and what runs is waited for
};

}  // namespace prefixfs::admin
