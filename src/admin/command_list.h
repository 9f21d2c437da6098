#pragma once
// One function for each command.

#include "client.h"
#include "prefixfs/admin/commands.h"

namespace prefixfs::admin {

/// What a command works on.
struct Command {
  const config::AdminRequest& request;
  const Place place;
  const Clock& clock;
  const Terminal& terminal;
};

/// The exit code; or why there is none to choose, which is told.
Result<int> status(const Command& command);
Result<int> drain(const Command& command);
Result<int> retry(const Command& command);
Result<int> discard(const Command& command);
Result<int> conflicts(const Command& command);
Result<int> restore(const Command& command);

}  // namespace prefixfs::admin
