#pragma once
// The object graph of one mount, and its life from the first check to the last unmount. The one place that picks real clocks, files and networks.

#include <functional>

#include "prefixfs/config/options.h"

namespace prefixfs::daemon {

/// Mounts, calls `ready` when the kernel has been answered, serves until umount or a signal (SIGTERM, SIGINT, SIGHUP), and gives back the exit
/// code. What fails before `ready` is told in one line on stderr.
int run_mount(const config::Options& options, std::function<void()> ready);

}  // namespace prefixfs::daemon
