#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>

#include "prefixfs/stage/staged_file.h"
#include "support/temp_dir.h"

namespace prefixfs::stage {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(StageDirectory, makes_what_it_needs_for_its_owner_only) {
  const test::TempDir temp;
  const fs::path cache = temp.path() / "a/b/cache";
  const auto stage = StageDirectory::open(cache, 1 << 20);
  ASSERT_TRUE(stage) << describe(stage.error());
  EXPECT_EQ(mode_of(cache), 0700U);
  EXPECT_EQ(mode_of(cache / "stage"), 0700U);
  EXPECT_EQ(mode_of(cache / "kept"), 0700U);
  const auto file = (*stage)->create(0);
  ASSERT_TRUE(file);
  EXPECT_EQ(mode_of((*file)->path()), 0600U);
  EXPECT_EQ((*file)->path().parent_path(), cache / "stage");
  EXPECT_EQ((*file)->path().filename().string(), "0000000000000001");
}

TEST(StageDirectory, has_one_owner_and_names_it) {
  const test::TempDir temp;
  {
    const auto first = StageDirectory::open(temp.path(), 1 << 20);
    ASSERT_TRUE(first);
    const auto second = StageDirectory::open(temp.path(), 1 << 20);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    EXPECT_NE(second.error().what.find("process " + std::to_string(::getpid())), std::string::npos) << second.error().what;
    std::ifstream lock(temp.path() / "lock");
    pid_t pid = 0;
    lock >> pid;
    EXPECT_EQ(pid, ::getpid());
  }
  EXPECT_TRUE(StageDirectory::open(temp.path(), 1 << 20)) << "the lock ends with its owner";
}

TEST(StageDirectory, opening_removes_nothing_and_takes_no_name_that_is_there) {
  const test::TempDir temp;
  std::ofstream(temp.path() / "lock") << "1\n";
  fs::create_directories(temp.path() / "stage/strange");
  fs::create_directories(temp.path() / "kept");
  std::ofstream(temp.path() / "stage/00000000000000ff") << "old";
  std::ofstream(temp.path() / "stage/ffffffffffffffff") << "never given";
  std::ofstream(temp.path() / "kept/precious") << "kept";
  const auto stage = StageDirectory::open(temp.path(), 1 << 20);
  ASSERT_TRUE(stage);
  EXPECT_TRUE(fs::exists(temp.path() / "stage/strange"));
  EXPECT_TRUE(fs::exists(temp.path() / "stage/00000000000000ff"));
  EXPECT_TRUE(fs::exists(temp.path() / "kept/precious"));
  EXPECT_EQ((*(*stage)->create(0))->path().filename(), "0000000000000100");
}

TEST(StageDirectory, leaves_alone_what_is_not_its_own) {
  const test::TempDir temp;
  const fs::path theirs = temp.path() / "theirs";
  fs::create_directories(theirs / "stage");
  std::ofstream(theirs / "stage/work") << "x";
  fs::permissions(theirs, fs::perms(0755));
  const auto stage = StageDirectory::open(theirs, 1 << 20);
  ASSERT_FALSE(stage);
  EXPECT_NE(stage.error().what.find(theirs.string()), std::string::npos);
  EXPECT_TRUE(fs::exists(theirs / "stage/work"));
  EXPECT_EQ(fs::status(theirs).permissions(), fs::perms(0755));
}

TEST(StageDirectory, waits_for_a_daemon_that_ends) {
  const test::TempDir temp;
  auto first = StageDirectory::open(temp.path() / "cache", 1 << 20);
  ASSERT_TRUE(first);
  (*first)->say_ending();
  std::jthread ends([&] { first->reset(); });
  EXPECT_TRUE(StageDirectory::open(temp.path() / "cache", 1 << 20));
}

TEST(StageDirectory, refuses_a_link_in_the_place_of_its_directory) {
  const test::TempDir temp;
  const test::TempDir elsewhere;
  std::ofstream(elsewhere.path() / "victim") << "x";
  fs::create_directory_symlink(elsewhere.path(), temp.path() / "stage");
  const auto stage = StageDirectory::open(temp.path(), 1 << 20);
  ASSERT_FALSE(stage);
  EXPECT_EQ(stage.error().code, Errc::denied);
  EXPECT_TRUE(fs::exists(elsewhere.path() / "victim"));
}

TEST(StageDirectory, descriptors_do_not_leak_into_programs_it_starts) {
  const test::TempDir temp;
  const auto stage = StageDirectory::open(temp.path(), 1 << 20);
  const auto file = (*stage)->create(0);
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (target.starts_with(temp.str())) {
      const int flags = ::fcntl(std::stoi(entry.path().filename()), F_GETFD);
      EXPECT_TRUE(flags & FD_CLOEXEC) << target;
    }
  }
}

TEST(StageDirectory, kept_names_are_safe_distinct_and_short_enough) {
  const test::TempDir temp;
  const auto stage = StageDirectory::open(temp.path(), 1 << 20);
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(9);
  const fs::path first = (*stage)->kept_path("a b/../ü.pdf", now);
  EXPECT_EQ(first.parent_path(), temp.path() / "kept");
  const std::string name = first.filename();
  EXPECT_TRUE(name.starts_with("20261121T090000Z-")) << name;
  EXPECT_TRUE(name.ends_with("-a_b_.._" "__.pdf")) << name;
  EXPECT_NE((*stage)->kept_path("a b/../ü.pdf", now), first);
  const std::string longest = (*stage)->kept_path(std::string(2000, 'x') + ".pdf", now).filename();
  EXPECT_LE(longest.size(), 255U);
  EXPECT_TRUE(longest.ends_with("x.pdf"));
}

}  // namespace
}  // namespace prefixfs::stage
