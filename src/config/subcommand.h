#pragma once

#include <string>
#include <vector>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

/// Whether the first argument names a command about a mount; a source begins with "s3://".
bool is_subcommand(const std::string& word);

/// `prefixfs WORD MOUNTPOINT ...`. Errors: invalid; one line that names the argument.
Result<Invocation> read_subcommand(const std::vector<std::string>& arguments, const std::string& working_directory);

}  // namespace prefixfs::config
