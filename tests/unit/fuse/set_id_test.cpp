#include "set_id.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>

#include <cstring>
#include <vector>

namespace prefixfs::fuse {
namespace {

template <class Body>
std::vector<std::byte> request(std::uint32_t opcode, const Body& body) {
  const fuse_in_header header{.len = sizeof header + sizeof body, .opcode = opcode};
  std::vector<std::byte> bytes(sizeof header + sizeof body);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &body, sizeof body);
  return bytes;
}

TEST(SetId, EachRequestHasItsOwnWord) {
  EXPECT_TRUE(asks_to_kill_set_id(request(FUSE_WRITE, fuse_write_in{.write_flags = FUSE_WRITE_LOCKOWNER | FUSE_WRITE_KILL_SUIDGID})));
  EXPECT_FALSE(asks_to_kill_set_id(request(FUSE_WRITE, fuse_write_in{.write_flags = FUSE_WRITE_CACHE | FUSE_WRITE_LOCKOWNER})));
  EXPECT_TRUE(asks_to_kill_set_id(request(FUSE_SETATTR, fuse_setattr_in{.valid = FATTR_SIZE | FATTR_KILL_SUIDGID})));
  EXPECT_FALSE(asks_to_kill_set_id(request(FUSE_SETATTR, fuse_setattr_in{.valid = FATTR_SIZE})));
  EXPECT_TRUE(asks_to_kill_set_id(request(FUSE_OPEN, fuse_open_in{.open_flags = FUSE_OPEN_KILL_SUIDGID})));
  EXPECT_FALSE(asks_to_kill_set_id(request(FUSE_OPEN, fuse_open_in{.flags = ~0U})));
  EXPECT_FALSE(asks_to_kill_set_id(request(FUSE_LOOKUP, fuse_write_in{.write_flags = ~0U})));
}

TEST(SetId, ARequestThatEndsBeforeItAsksForNothing) {
  const auto whole = request(FUSE_OPEN, fuse_open_in{.open_flags = FUSE_OPEN_KILL_SUIDGID});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(asks_to_kill_set_id(std::span(whole).first(size))) << size;
  }
}

}  // namespace
}  // namespace prefixfs::fuse
