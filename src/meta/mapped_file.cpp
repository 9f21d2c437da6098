#include "mapped_file.h"

#include <sys/stat.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace prefixfs::meta {

std::vector<std::span<std::byte>> mappings_of(int descriptor) {
  struct stat file = {};
  std::vector<std::span<std::byte>> found;
  if (::fstat(descriptor, &file) != 0) {
    return found;
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::uint64_t inode = 0;
    // begin-end rwxp offset major:minor inode path; the device is not compared, as btrfs tells another one in stat().
    const int fields = std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64, &begin, &end, &inode);
    const bool of_lmdb = line.ends_with("/data.mdb");
    if (fields == 3 && inode == file.st_ino && of_lmdb && end > begin) {
      found.emplace_back(reinterpret_cast<std::byte*>(begin), end - begin);
    }
  }
  return found;
}

}  // namespace prefixfs::meta
