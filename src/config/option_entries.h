#pragma once

#include "prefixfs/config/options.h"

namespace prefixfs::config {

struct OptionValue {
  std::string text;               ///< of a flag: "true" or "false"
  std::string working_directory;  ///< relative paths begin here
};

/// A row of the table, and what the word does.
struct OptionEntry {
  OptionRow row;
  Result<void> (*apply)(const OptionValue& value, Options& options);
};

/// In the order of the help text.
const std::vector<OptionEntry>& option_entries();

/// `path` from `directory` when it is relative; without "." components and a "/" at the end.
std::string absolute_path(const std::string& path, const std::string& directory);

}  // namespace prefixfs::config
