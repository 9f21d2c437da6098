#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prefixfs::fuse {

/// One line of /proc/<pid>/mountinfo (proc(5)), paths without their octal escapes.
struct MountLine {
  std::string id;
  std::string device;  ///< "major:minor": the same for one file system in all mount namespaces
  std::string mountpoint;
  std::string type;
};
std::vector<MountLine> read_mountinfo(std::string_view text);

/// As mountinfo has it. A mount on the path itself is not asked, so that this may be called while it does not answer.
std::string without_links(const std::string& path);

/// The device of the prefixfs that is mounted on exactly this directory, for this process; empty when there is none.
std::string device_of(const std::string& mountpoint);

/// Whether a prefixfs is mounted on exactly this directory (an absolute path without links), by /proc/self/mountinfo.
bool is_mounted(const std::string& mountpoint);

/// The same from the text of mountinfo (proc(5): field 5 is the mountpoint with octal escapes; the type follows " - ").
bool is_mounted(const std::string& mountpoint, std::string_view mountinfo);

}  // namespace prefixfs::fuse
