#pragma once
// The mount itself, apart from who serves it: made and ended by the process that lives as long as it does.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::fuse {

struct MountOptions {
  std::string source;       ///< shown by mount and df: "s3://bucket/prefix"
  std::string mountpoint;
  bool allow_other = false;
  bool read_only = false;
  std::vector<std::string> generic;  ///< noatime, noexec, ...
};

/// Why the directory cannot be mounted on. Errors: not_found, not_dir, busy (already a mount of prefixfs, or a dead one), denied.
Result<void> check_mountpoint(const std::string& mountpoint);

/// Mounts, and gives /dev/fuse of the new mount. With root's rights by mount(2), otherwise through fusermount3.
/// Errors: denied, invalid.
Result<UniqueFd> open_mount(const MountOptions& options);
/// Whether the mount of this descriptor is gone (umount, or an abort).
bool is_gone(const UniqueFd& device);
/// Unmounts, also while it is in use, unless that has happened; without a descriptor whatever is mounted there. Once every descriptor of the mount is closed, whoever waits for it is told so.
void close_mount(const std::string& mountpoint, UniqueFd device);
/// "major:minor" of the prefixfs mounted there; empty: none. Asks the kernel only.
std::string mounted_device(const std::string& mountpoint);

/// Memory in which a worker leaves what the next one must know: open handles, requests in hand.
/// Errors: io.
Result<UniqueFd> make_ledger();

/// What kernel and first worker have agreed on, for those who take over. Opaque.
using SavedInit = std::vector<std::byte>;
/// Whether another process can go on with the mount: the kernel must send unanswered requests again (6.9 and later).
bool can_be_taken_over(std::span<const std::byte> saved);

}  // namespace prefixfs::fuse
