#pragma once
// The system calls of this module: whole reads and writes, and what errno means here.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/result.h"

namespace prefixfs::stage {

inline constexpr std::uint64_t kFileBytesMax = 1ULL << 62;  ///< leaves room for sums
/// Of the note beside a kept file.
inline constexpr const char* kNoteEnding = ".why";

/// "cannot `action` `path`: reason", and what to do where something can be done. ENOSPC and EDQUOT are no_space, EFBIG too_large, EACCES and EPERM denied, EEXIST exists, else io.
Error file_error(int error_number, std::string_view action, const std::filesystem::path& path);

struct WriteOutcome {
  std::uint64_t written = 0;
  int error_number = 0;  ///< 0: all was written
};
WriteOutcome write_all(int fd, std::uint64_t offset, std::span<const std::byte> data);

/// The bytes read, fewer than asked for only at the end of the file; or -1 with errno.
std::int64_t read_all(int fd, std::uint64_t offset, std::span<std::byte> out);

/// Copies bytes to the same place in another file, within the kernel where it can. 0, or an errno.
int copy_bytes(int from, int to, std::uint64_t offset, std::uint64_t length);
int copy_through_memory(int from, int to, std::uint64_t offset, std::uint64_t length);

/// Overwrites nothing. 0, or an errno.
int move_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// In byte order.
Result<std::vector<std::string>> names_in(const std::filesystem::path& directory);

/// Syncs a directory, so that the names in it survive a power loss.
Result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace prefixfs::stage
