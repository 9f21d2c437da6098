#include "descriptors.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "prefixfs/base/environment.h"

namespace prefixfs::fuse {

pid_t read_thread_group(std::string_view status) {
  constexpr std::string_view kName = "\nTgid:\t";
  const auto at = status.find(kName);
  if (at == std::string_view::npos) {
    return 0;
  }
  status.remove_prefix(at + kName.size());
  pid_t group = 0;
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), group);
  return error == std::errc() && group > 0 ? group : 0;
}

pid_t process_of(pid_t thread) {
  const auto status = thread > 0 ? SystemFileReader().read(fmt::format("/proc/{}/status", thread)) : Result<std::string>("");
  return status ? read_thread_group(*status) : 0;
}

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
