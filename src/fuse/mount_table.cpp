#include "mount_table.h"

#include <unistd.h>

#include <climits>
#include <filesystem>
#include <fstream>
#include <sstream>

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

std::vector<MountLine> read_mountinfo(std::string_view text) {
  std::vector<MountLine> mounts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos) {
      continue;
    }
    MountLine mount;
    std::string parent;
    std::string root;
    std::istringstream(line) >> mount.id >> parent >> mount.device >> root >> mount.mountpoint;
    std::istringstream(line.substr(separator + 3)) >> mount.type;
    mount.mountpoint = unescape(mount.mountpoint);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

namespace {

const MountLine* find_ours(const std::vector<MountLine>& mounts, const std::string& mountpoint) {
  // The last one hides those before.
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (mount->mountpoint == mountpoint && mount->type == "fuse.prefixfs") {
      return &*mount;
    }
  }
  return nullptr;
}

std::vector<MountLine> own_mounts() {
  std::ifstream file("/proc/self/mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return read_mountinfo(text.str());
}

}  // namespace

std::string without_links(const std::string& path) {
  constexpr int kLinksMax = 40;
  std::filesystem::path real = path;
  std::error_code error;
  for (int links = 0; links < kLinksMax; ++links) {
    real = real.lexically_normal();
    real = real.has_filename() ? real : real.parent_path();
    const std::filesystem::path directory = std::filesystem::canonical(real.parent_path(), error);
    if (error) {
      return path;
    }
    real = directory / real.filename();
    // readlink(2) of a mount is refused at once, while stat(2), which std::filesystem begins with, asks it.
    char target[PATH_MAX];
    const ssize_t length = ::readlink(real.c_str(), target, sizeof target);
    if (length < 0) {
      return real.string();
    }
    real = directory / std::string_view(target, static_cast<std::size_t>(length));
  }
  return path;
}

bool is_mounted(const std::string& mountpoint, std::string_view mountinfo) {
  return find_ours(read_mountinfo(mountinfo), mountpoint) != nullptr;
}

bool is_mounted(const std::string& mountpoint) { return find_ours(own_mounts(), without_links(mountpoint)) != nullptr; }

std::string device_of(const std::string& mountpoint) {
  const auto mounts = own_mounts();
  const MountLine* ours = find_ours(mounts, mountpoint);
  return ours != nullptr ? ours->device : std::string();
}

}  // namespace prefixfs::fuse
