#include "init_answer.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>

namespace prefixfs::fuse {
namespace {

TEST(InitAnswer, GetsTheOneFlagAndKeepsTheOthers) {
  fuse_out_header header{};
  fuse_init_out answer{};
  answer.flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES;
  answer.max_write = 4711;
  const iovec parts[] = {{&header, sizeof header}, {&answer, sizeof answer}};
  keep_writes_from_asking(parts, 2);
  EXPECT_EQ(answer.flags, static_cast<std::uint32_t>(FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_HANDLE_KILLPRIV_V2));
  EXPECT_EQ(answer.max_write, 4711U);
}

TEST(InitAnswer, AnErrorStaysAsItIs) {
  fuse_out_header header{.len = sizeof header, .error = -71, .unique = 1};
  char old_kernels[8] = {};
  const iovec parts[] = {{&header, sizeof header}, {old_kernels, sizeof old_kernels}};
  keep_writes_from_asking(parts, 1);
  keep_writes_from_asking(parts, 2);
  EXPECT_EQ(header.error, -71);
  EXPECT_EQ(std::string_view(old_kernels, 8), std::string_view("\0\0\0\0\0\0\0\0", 8));
}

}  // namespace
}  // namespace prefixfs::fuse
