#pragma once
// The command's end: asks a daemon, and says what it has heard.

#include "prefixfs/base/clock.h"
#include "prefixfs/base/environment.h"
#include "prefixfs/config/options.h"

namespace prefixfs::admin {

enum CommandExit : int { kDone = 0, kRefused = 1, kNoAnswer = 2 };

/// Where a command reads, writes, and asks.
struct Terminal {
  int in = 0;
  int out = 1;
  int err = 2;
};

/// Runs `invocation.command`, one of Command::status and those behind it. What it has to say goes to `terminal.out`, why it failed to `.err`.
int run_command(const config::Invocation& invocation, const Environment& environment, const Clock& clock, const Terminal& terminal);

}  // namespace prefixfs::admin
