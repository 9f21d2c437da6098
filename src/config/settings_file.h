#pragma once

#include <string>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

inline constexpr const char* kSettingsPath = "/etc/prefixfs/prefixfs.toml";

/// Reads the TOML file at `path`: top-level keys are option words with "-" or "_", flags are true or false. A file that is not there
/// sets nothing.
/// Errors: invalid, unsupported, with file and line in the sentence; those of FileReader but not_found.
Result<void> apply_settings_file(const FileReader& files, const std::string& path, Options& options);

}  // namespace prefixfs::config
