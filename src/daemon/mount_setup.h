#pragma once
// What supervisor and worker both make of the options.

#include <memory>

#include "prefixfs/config/options.h"
#include "prefixfs/fuse/mount.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::daemon {

fuse::MountOptions mount_options_of(const config::Options& options);
std::unique_ptr<Log> make_log_for(const config::Options& options);

}  // namespace prefixfs::daemon
