#include "descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <thread>

#include "prefixfs/base/unique_fd.h"
#include "support/temp_dir.h"

namespace prefixfs::fuse {
namespace {

TEST(Descriptors, FindsTheInodeInTheLinesOfFdinfo) {
  const std::string_view text = "pos:\t0\nflags:\t0100001\nmnt_id:\t29\nino:\t123\n";
  EXPECT_TRUE(names_inode(text, {"28", "29"}, 123));
  EXPECT_FALSE(names_inode(text, {"29"}, 12));
  EXPECT_FALSE(names_inode(text, {"29"}, 23));
  EXPECT_FALSE(names_inode(text, {"2", "9"}, 123)) << "another file system";
  EXPECT_FALSE(names_inode(text, {}, 123));
  EXPECT_FALSE(names_inode("mnt_id:\t29\n", {"29"}, 123)) << "old kernels have no such line";
}

TEST(Descriptors, AThreadBelongsToAProcess) {
  EXPECT_EQ(read_thread_group("Name:\ta\nTgid:\t42\nNgid:\t0\n"), 42);
  EXPECT_EQ(read_thread_group("Name:\ta\n"), 0);
  EXPECT_EQ(read_thread_group(""), 0);
  pid_t seen = 0;
  std::thread([&] { seen = process_of(static_cast<pid_t>(::syscall(SYS_gettid))); }).join();
  EXPECT_EQ(seen, ::getpid());
  EXPECT_EQ(process_of(1 << 30), 0);
  EXPECT_EQ(process_of(0), 0);
}

TEST(Descriptors, SeesWhatThisProcessHasOpen) {
  const test::TempDir folder;
  const std::string path = (folder.path() / "file").string();
  UniqueFd file(::open(path.c_str(), O_CREAT | O_RDWR, 0600));
  struct stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  const std::string device = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
  EXPECT_TRUE(has_descriptor(::getpid(), device, status.st_ino));
  EXPECT_FALSE(has_descriptor(::getpid(), "0:0", status.st_ino));
  file.reset();
  EXPECT_FALSE(has_descriptor(::getpid(), device, status.st_ino));
  EXPECT_FALSE(has_descriptor(1 << 30, device, status.st_ino)) << "a process that is not there";
}

}  // namespace
}  // namespace prefixfs::fuse
