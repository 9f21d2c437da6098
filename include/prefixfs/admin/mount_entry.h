#pragma once
// Which cache directory belongs to a mountpoint? A small file says so, for whoever has only the mountpoint.

#include <string>

#include "prefixfs/base/result.h"

namespace prefixfs::admin {

struct MountEntry {
  std::string mountpoint;
  std::string cache_dir;
};

/// `mountpoint` without symbolic links. The mount itself is not asked, so that one which does not answer is found too.
std::string real_mountpoint(const std::string& mountpoint);

/// Replaces what an earlier mount there has entered. `directory`: config::mounts_dir(), made where it is missing. Errors: denied, no_space, io.
Result<void> enter_mount(const std::string& directory, const MountEntry& entry);
/// Errors: not_found (nothing was mounted there), denied, io.
Result<MountEntry> find_mount(const std::string& directory, const std::string& mountpoint);
/// Only an entry of this very cache directory: another mount may have come meanwhile.
void remove_mount(const std::string& directory, const MountEntry& entry);

}  // namespace prefixfs::admin
