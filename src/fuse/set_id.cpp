#include "set_id.h"

#include <linux/fuse.h>

#include <cstdint>
#include <cstring>

namespace prefixfs::fuse {
namespace {

/// The number at that place behind the header; 0 where the request ends before it.
std::uint32_t word_at(std::span<const std::byte> request, std::size_t place) {
  std::uint32_t word = 0;
  const std::size_t begin = sizeof(fuse_in_header) + place;
  if (request.size() >= begin + sizeof word) {
    std::memcpy(&word, request.data() + begin, sizeof word);
  }
  return word;
}

}  // namespace

bool asks_to_kill_set_id(std::span<const std::byte> request) {
  fuse_in_header header{};
  if (request.size() < sizeof header) {
    return false;
  }
  std::memcpy(&header, request.data(), sizeof header);
  switch (header.opcode) {
    case FUSE_WRITE: return (word_at(request, offsetof(fuse_write_in, write_flags)) & FUSE_WRITE_KILL_SUIDGID) != 0;
    case FUSE_SETATTR: return (word_at(request, offsetof(fuse_setattr_in, valid)) & FATTR_KILL_SUIDGID) != 0;
    case FUSE_OPEN: return (word_at(request, offsetof(fuse_open_in, open_flags)) & FUSE_OPEN_KILL_SUIDGID) != 0;
    default: return false;
  }
}

}  // namespace prefixfs::fuse
