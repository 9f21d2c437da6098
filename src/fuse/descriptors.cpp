#include "descriptors.h"

#include <fmt/format.h>

#include <filesystem>

#include "prefixfs/base/environment.h"

namespace prefixfs::fuse {

bool names_inode(std::string_view fdinfo, std::uint64_t inode) {
  const std::string line = fmt::format("ino:\t{}\n", inode);
  const auto at = fdinfo.find(line);
  return at == 0 || (at != std::string_view::npos && fdinfo[at - 1] == '\n');
}

bool has_descriptor(pid_t process, std::uint64_t inode) {
  std::error_code error;
  const SystemFileReader files;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", process), error)) {
    const auto text = files.read(entry.path().string());
    if (text && names_inode(*text, inode)) {
      return true;
    }
  }
  return false;
}

}  // namespace prefixfs::fuse
