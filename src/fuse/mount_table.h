#pragma once

#include <string>
#include <string_view>

namespace prefixfs::fuse {

/// Whether a prefixfs is mounted on exactly this directory (an absolute path without links), by /proc/self/mountinfo.
bool is_mounted(const std::string& mountpoint);

/// The same from the text of mountinfo (proc(5): field 5 is the mountpoint with octal escapes; the type follows " - ").
bool is_mounted(const std::string& mountpoint, std::string_view mountinfo);

}  // namespace prefixfs::fuse
