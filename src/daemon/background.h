#pragma once
// From the terminal into the background, once the mount answers.

#include <functional>

namespace prefixfs::daemon {

/// Exit codes of mount(8).
enum ExitCode : int { kExitSuccess = 0, kExitUsage = 1, kExitSystem = 2, kExitMount = 32 };

/// From now on nothing reaches the terminal.
void detach_standard_streams();

/// Runs `body(ready)` in a child process of its own session. The caller's process waits until `ready` was called (then it gives back
/// kExitSuccess) or the body has returned (then its exit code). Messages to stderr reach the terminal until `ready`; then the standard
/// streams are closed. Must be called before any thread is started.
int run_in_background(const std::function<int(std::function<void()> ready)>& body);

}  // namespace prefixfs::daemon
