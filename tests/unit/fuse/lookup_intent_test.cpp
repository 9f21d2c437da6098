#include "lookup_intent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "support/temp_dir.h"

namespace prefixfs::fuse {
namespace {

std::string line(long number, std::string_view arguments) { return fmt::format("{} {} 0x0 0x0 0x7ffd 0x7f00\n", number, arguments); }

TEST(LookupIntent, FindsPathAndFlags) {
  const auto at = read_path_call(line(SYS_openat, fmt::format("0xffffff9c 0x1234 {:#x} 0x1b6", O_WRONLY | O_CREAT | O_TRUNC)));
  ASSERT_TRUE(at);
  EXPECT_EQ(at->path, 0x1234u);
  EXPECT_EQ(at->flags, O_WRONLY | O_CREAT | O_TRUNC);
#ifdef SYS_open
  const auto plain = read_path_call(line(SYS_open, "0x1234 0x0 0x1b6 0x0"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->path, 0x1234u);
  EXPECT_EQ(plain->flags, O_RDONLY);
#endif
}

TEST(LookupIntent, FindsThePathOfWhatIsMade) {
  std::vector<std::pair<long, std::uint64_t>> calls{{SYS_mkdirat, 2}, {SYS_mknodat, 2}, {SYS_symlinkat, 3}, {SYS_linkat, 4}};
#ifdef SYS_open
  calls.insert(calls.end(), {{SYS_mkdir, 1}, {SYS_mknod, 1}, {SYS_symlink, 2}, {SYS_link, 2}});
#endif
  for (const auto& [number, path] : calls) {
    const auto call = read_path_call(fmt::format("{} 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd 0x7f00\n", number));
    ASSERT_TRUE(call);
    EXPECT_EQ(call->kind, PathCall::Kind::make);
    EXPECT_EQ(call->path, path);
  }
}

TEST(LookupIntent, FindsWhatIsRemoved) {
  using enum vfs::LookupIntent;
  const auto at = read_path_call(line(SYS_unlinkat, "0x4 0x1234 0x0 0x1b6"));
  ASSERT_TRUE(at);
  EXPECT_EQ(at->path, 0x1234u);
  EXPECT_EQ(intent_of_call(*at, "dir/old", "old"), remove);
  EXPECT_EQ(intent_of_call(*at, "dir/old", "dir"), unknown);
  const auto directory = read_path_call(line(SYS_unlinkat, fmt::format("0x4 0x1234 {:#x} 0x1b6", AT_REMOVEDIR)));
  ASSERT_TRUE(directory);
  EXPECT_EQ(intent_of_call(*directory, "dir/old", "old"), unknown);
#ifdef SYS_unlink
  const auto plain = read_path_call(line(SYS_unlink, "0x1234 0x200 0x0 0x0"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(intent_of_call(*plain, "old", "old"), remove) << "it has no flags";
#endif
}

TEST(LookupIntent, OnlyTheNameThatIsMadeIsMeant) {
  using enum vfs::LookupIntent;
  const PathCall call{.kind = PathCall::Kind::make};
  EXPECT_EQ(intent_of_call(call, "dir/new", "new"), make);
  EXPECT_EQ(intent_of_call(call, "dir/new//", "new"), make);
  EXPECT_EQ(intent_of_call(call, "dir/new", "dir"), unknown);
  EXPECT_EQ(intent_of_call(call, "/", ""), unknown);
}

TEST(LookupIntent, NothingElseIsAsked) {
  for (const long number : {SYS_newfstatat, SYS_renameat2, SYS_faccessat}) {
    EXPECT_FALSE(read_path_call(line(number, "0xffffff9c 0x1234 0x240 0x0"))) << number;
  }
  for (const char* text : {"", "\n", "running\n", "-1 0x7ffd 0x7f00\n", "257", "257 0x1", "257 x y z\n", "257  0x1 0x2 0x241 \n"}) {
    EXPECT_FALSE(read_path_call(text)) << text;
  }
}

TEST(LookupIntent, TheFlagsSayForWhat) {
  using enum vfs::LookupIntent;
  EXPECT_EQ(intent_of_flags(O_RDONLY), open);
  EXPECT_EQ(intent_of_flags(O_RDWR | O_CREAT), open) << "what is there is going to be read";
  EXPECT_EQ(intent_of_flags(O_WRONLY | O_TRUNC), open) << "it must be there";
  EXPECT_EQ(intent_of_flags(O_WRONLY | O_CREAT | O_TRUNC), open_anew);
  EXPECT_EQ(intent_of_flags(O_WRONLY | O_CREAT | O_TRUNC | O_EXCL), unknown);
  EXPECT_EQ(intent_of_flags(O_RDONLY | O_DIRECTORY), unknown);
}

TEST(LookupIntent, OnlyTheLastComponentIsMeant) {
  EXPECT_TRUE(ends_in("/srv/uploads/new.pdf", "new.pdf"));
  EXPECT_TRUE(ends_in("new.pdf", "new.pdf"));
  EXPECT_TRUE(ends_in("new.pdf.d/new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("/srv/uploads/new.pdf", "uploads"));
  EXPECT_FALSE(ends_in("/srv/new.pdf/", "new.pdf"));
  EXPECT_FALSE(ends_in("/srv/old-new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("new.pdf/new.pdf", "new.pdf")) << "the lookup may be of the first";
  EXPECT_TRUE(leads_through("/srv/uploads/new.pdf", "uploads"));
  EXPECT_TRUE(leads_through("tenant/upload/new.pdf", "tenant"));
  EXPECT_TRUE(leads_through("new.pdf/new.pdf", "new.pdf"));
  EXPECT_FALSE(leads_through("/srv/uploads/new.pdf", "new.pdf"));
  EXPECT_FALSE(leads_through("/srv/uploads/new.pdf", "load"));
  EXPECT_FALSE(ends_in("/new.pdf/a/new.pdf", "new.pdf"));
  EXPECT_FALSE(ends_in("", ""));
}

/// A child that waits in open() of a FIFO shows the line and the memory of a thread that waits for a file system.
class LookupIntentOfAProcess : public ::testing::Test {
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
  bool within_ten_seconds(std::string_view name, vfs::LookupIntent intent) {
    for (const auto end = ::time(nullptr) + 10; ::time(nullptr) < end;) {
      if (intent_of(child_, name) == intent) {
        return true;
      }
    }
    return false;
  }

  test::TempDir folder_;
  const std::string path_ = (folder_.path() / "fifo").string();
  pid_t child_ = 0;
};

TEST_F(LookupIntentOfAProcess, IsReadWhileTheProcessWaits) {
  start(O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_TRUE(within_ten_seconds("fifo", vfs::LookupIntent::open_anew));
  EXPECT_EQ(intent_of(child_, "another"), vfs::LookupIntent::unknown);
}

TEST(LookupIntent, OfAProcessThatIsNotThereIsUnknown) { EXPECT_EQ(intent_of(1 << 30, "name"), vfs::LookupIntent::unknown); }

}  // namespace
}  // namespace prefixfs::fuse
