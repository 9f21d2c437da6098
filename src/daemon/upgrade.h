#pragma once
// How `prefixfs upgrade MOUNTPOINT` finds the supervisor of a mount, and asks it for the program that is installed now. To be replaced by the
// control socket of the cache directory.

#include <optional>
#include <string>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::daemon {

/// A socket without a file, named after the mount's device, so that nothing is left behind.
Result<UniqueFd> listen_for_upgrade(const std::string& device);
/// Somebody who may ask (root, or the user of this process); nothing: nobody, or somebody else. Does not wait.
UniqueFd accept_upgrade(const UniqueFd& listener);
/// `problem`: empty for success.
void answer_upgrade(UniqueFd asker, const std::string& problem);

/// The subcommand: asks, waits for the outcome, tells it, and gives the exit code.
int ask_for_upgrade(const std::string& mountpoint);

}  // namespace prefixfs::daemon
