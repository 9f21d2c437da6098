#include "local_file.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace prefixfs::stage {
namespace {

TEST(LocalFile, errno_becomes_a_decision_and_a_sentence) {
  EXPECT_EQ(file_error(ENOSPC, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(file_error(EDQUOT, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(file_error(EFBIG, "write to", "/x").code, Errc::too_large);
  EXPECT_EQ(file_error(EACCES, "open", "/x").code, Errc::denied);
  EXPECT_EQ(file_error(EEXIST, "make", "/x").code, Errc::exists);
  EXPECT_EQ(file_error(EIO, "read", "/x").code, Errc::io);
  EXPECT_EQ(file_error(ENOSPC, "write to", "/x/y").what,
            "cannot write to /x/y: No space left on device; free space there, or choose a cache_dir on another disk");
}

TEST(LocalFile, a_directory_that_is_not_there_cannot_be_synced) {
  EXPECT_EQ(sync_directory("/nonexistent/prefixfs").error().code, Errc::io);
}

}  // namespace
}  // namespace prefixfs::stage
