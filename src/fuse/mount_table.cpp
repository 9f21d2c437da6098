#include "mount_table.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace prefixfs::fuse {
namespace {

/// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

}  // namespace

bool is_mounted(const std::string& mountpoint, std::string_view mountinfo) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    const auto separator = line.find(" - ");
    std::istringstream fields(line);
    std::vector<std::string> field(5);
    for (std::string& text : field) {
      fields >> text;
    }
    if (separator != std::string::npos && unescape(field[4]) == mountpoint && line.compare(separator + 3, 14, "fuse.prefixfs ") == 0) {
      return true;
    }
  }
  return false;
}

bool is_mounted(const std::string& mountpoint) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(mountpoint, error);  // mountinfo knows no symbolic links
  std::ifstream file("/proc/self/mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return is_mounted(error ? mountpoint : real.string(), text.str());
}

}  // namespace prefixfs::fuse
