#pragma once

#include <string>
#include <vector>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

/// The words of a command line, not yet understood.
struct CommandLine {
  std::vector<std::string> operands;  ///< SOURCE, MOUNTPOINT
  std::vector<std::string> lists;     ///< of each -o
  bool f = false;                     ///< foreground, or fake when mount(8) calls
  bool verbose = false;
  bool help = false;
  bool man_page = false;
  bool version = false;
};

/// Errors: invalid; one line that names the argument.
Result<CommandLine> read_command_line(const std::vector<std::string>& arguments, bool called_by_mount);

}  // namespace prefixfs::config
