#pragma once
// The worker: the object graph of one mount, and its life from the first check to the last request. The one place that picks real clocks, files
// and networks.

#include "prefixfs/config/options.h"
#include "worker.h"

namespace prefixfs::daemon {

/// Asks for the mount, serves until umount or a signal (SIGTERM, SIGINT, SIGHUP; kUpgradeSignal), and gives back the exit code. What fails
/// before it serves is told in one line on stderr.
int run_mount(const config::Options& options, Worker& worker);

}  // namespace prefixfs::daemon
