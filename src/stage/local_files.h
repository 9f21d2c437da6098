#pragma once
// The local files of a stage directory that are not in use, and the names of those that are.

#include <filesystem>

#include "spare_files.h"
#include "stage_names.h"

namespace prefixfs::stage {

struct LocalFiles {
  LocalFiles(const std::filesystem::path& root, std::uint64_t next) : spares(root / "open"), names(root / "stage", spares, next) {}
  SpareFiles spares;
  StageNames names;
};

}  // namespace prefixfs::stage
