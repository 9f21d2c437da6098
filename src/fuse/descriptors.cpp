#include "descriptors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "mount_table.h"
#include "prefixfs/base/environment.h"

namespace prefixfs::fuse {
namespace {

bool has_line(std::string_view text, const std::string& line) {
  const auto at = text.find(line);
  return at == 0 || (at != std::string_view::npos && text[at - 1] == '\n');
}

}  // namespace

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

bool names_inode(std::string_view fdinfo, const std::vector<std::string>& mount_ids, std::uint64_t inode) {
  // Other file systems have files of the same number; /dev/null has a small one.
  return has_line(fdinfo, fmt::format("ino:\t{}\n", inode)) &&
         std::ranges::any_of(mount_ids, [&](const std::string& id) { return has_line(fdinfo, fmt::format("mnt_id:\t{}\n", id)); });
}

bool has_descriptor(pid_t process, std::string_view device, std::uint64_t inode) {
  const SystemFileReader files;
  const auto mountinfo = files.read(fmt::format("/proc/{}/mountinfo", process));
  std::vector<std::string> mount_ids;
  for (const MountLine& mount : mountinfo ? read_mountinfo(*mountinfo) : std::vector<MountLine>{}) {
    if (mount.device == device) {
      mount_ids.push_back(mount.id);
    }
  }
  if (mount_ids.empty()) {
    return false;
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", process), error)) {
    const auto text = files.read(entry.path().string());
    if (text && names_inode(*text, mount_ids, inode)) {
      return true;
    }
  }
  return false;
}

}  // namespace prefixfs::fuse
