#pragma once
// The system calls of this module: whole reads and writes, and what errno means here.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::stage {

/// "cannot `action` `path`: reason", and what to do where something can be done. ENOSPC and EDQUOT are no_space, EFBIG too_large, EACCES and EPERM denied, EEXIST exists, else io.
Error file_error(int error_number, std::string_view action, const std::filesystem::path& path);

struct WriteOutcome {
  std::uint64_t written = 0;
  int error_number = 0;  ///< 0: all was written
};
WriteOutcome write_all(int fd, std::uint64_t offset, std::span<const std::byte> data);

/// The bytes read, fewer than asked for only at the end of the file; or -1 with errno.
std::int64_t read_all(int fd, std::uint64_t offset, std::span<std::byte> out);

/// Syncs a directory, so that the names in it survive a power loss.
Result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace prefixfs::stage
