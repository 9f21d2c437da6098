#include "open_intent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace prefixfs::fuse {
namespace {

std::string line(long number, std::string_view arguments) { return fmt::format("{} {} 0x0 0x0 0x7ffd 0x7f00\n", number, arguments); }

TEST(OpenIntent, FindsThePathOfAnOpenThatCreatesOrEmpties) {
  EXPECT_EQ(path_opened_anew(line(SYS_openat, fmt::format("0xffffff9c 0x1234 {:#x} 0x1b6", O_WRONLY | O_CREAT | O_TRUNC))), 0x1234u);
#ifdef SYS_open
  EXPECT_EQ(path_opened_anew(line(SYS_open, fmt::format("0x1234 {:#x} 0x1b6 0x0", O_RDWR | O_CREAT | O_TRUNC))), 0x1234u);
#endif
}

TEST(OpenIntent, NothingElseIsSuchAnOpen) {
  for (const int flags : {O_RDONLY, O_WRONLY | O_CREAT, O_WRONLY | O_TRUNC, O_WRONLY | O_CREAT | O_TRUNC | O_EXCL}) {
    EXPECT_EQ(path_opened_anew(line(SYS_openat, fmt::format("0xffffff9c 0x1234 {:#x} 0x1b6", flags))), std::nullopt) << flags;
  }
  EXPECT_EQ(path_opened_anew(line(SYS_newfstatat, fmt::format("0xffffff9c 0x1234 {:#x} 0x0", O_CREAT | O_TRUNC))), std::nullopt);
  for (const char* text : {"", "\n", "running\n", "-1 0x7ffd 0x7f00\n", "257", "257 0x1", "257 x y z\n", "257  0x1 0x2 0x241 \n"}) {
    EXPECT_EQ(path_opened_anew(text), std::nullopt) << text;
  }
}

TEST(OpenIntent, OnlyTheLastComponentIsMeant) {
  EXPECT_TRUE(ends_in("/srv/uploads/new.pdf", "new.pdf"));
  EXPECT_TRUE(ends_in("new.pdf", "new.pdf"));
  EXPECT_TRUE(ends_in("new.pdf.d/new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("/srv/uploads/new.pdf", "uploads"));
  EXPECT_FALSE(ends_in("/srv/new.pdf/", "new.pdf"));
  EXPECT_FALSE(ends_in("/srv/old-new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("new.pdf/new.pdf", "new.pdf")) << "the lookup may be of the first";
  EXPECT_FALSE(ends_in("/new.pdf/a/new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("", ""));
}

/// A child that waits in open() of a FIFO shows the line and the memory of a thread that waits for a file system.
class OpenIntentOfAProcess : public ::testing::Test {
 protected:
  void start(int flags) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      ::_exit(::open(path_.c_str(), flags, 0600) < 0 ? 1 : 0);
    }
  }
  void TearDown() override {
    if (child_ > 0) {
      const int other_end = ::open(path_.c_str(), O_RDWR | O_NONBLOCK);
      ::waitpid(child_, nullptr, 0);
      ::close(other_end);
    }
  }
  /// The child may not have come to its open() yet.
  bool within_ten_seconds(std::string_view name) {
    for (const auto end = ::time(nullptr) + 10; ::time(nullptr) < end;) {
      if (opens_anew(child_, name)) {
        return true;
      }
    }
    return false;
  }

  test::TempDir folder_;
  const std::string path_ = (folder_.path() / "fifo").string();
  pid_t child_ = 0;
};

TEST_F(OpenIntentOfAProcess, IsReadWhileTheProcessWaits) {
  start(O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_TRUE(within_ten_seconds("fifo"));
  EXPECT_FALSE(opens_anew(child_, "another"));
}

TEST(OpenIntent, OfAProcessThatIsNotThereIsUnknown) { EXPECT_FALSE(opens_anew(1 << 30, "name")); }

}  // namespace
}  // namespace prefixfs::fuse
