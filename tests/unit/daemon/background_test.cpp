#include "background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "prefixfs/base/unique_fd.h"
#include "support/temp_dir.h"

namespace prefixfs::daemon {
namespace {

TEST(BackgroundTest, ExitCodeOfABodyThatNeverGotReady) {
  EXPECT_EQ(run_in_background([](const auto&) { return 32; }), 32);
  EXPECT_EQ(run_in_background([](const auto&) { return 0; }), 0);
}

TEST(BackgroundTest, SuccessAsSoonAsTheBodyIsReadyThoughItGoesOn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const int code = run_in_background([&](const std::function<void()>& ready) {
    ready();
    writer.reset();
    char word = 0;
    const bool waited = ::read(reader.get(), &word, 1) == 1;  // until the test says so
    return waited ? 7 : 8;
  });
  EXPECT_EQ(code, kExitSuccess);
  EXPECT_EQ(::write(writer.get(), "x", 1), 1);
  int status = 0;
  ASSERT_GT(::waitpid(-1, &status, 0), 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(BackgroundTest, BodyThatIsKilledIsASystemError) {
  EXPECT_EQ(run_in_background([](const auto&) {
    ::raise(SIGKILL);
    return 0;
  }), kExitSystem);
}

TEST(BackgroundTest, ChildHasASessionOfItsOwnAndHoldsNoDirectory) {
  const test::TempDir directory;
  const std::string path = directory.file("seen");
  const pid_t parent_session = ::getsid(0);
  EXPECT_EQ(run_in_background([&](const auto&) {
    char here[256] = "";
    const bool at_root = ::getcwd(here, sizeof here) != nullptr && std::string(here) == "/";
    std::ofstream(path) << (::getsid(0) != parent_session) << at_root;
    return 3;
  }), 3);
  std::string seen;
  std::ifstream(path) >> seen;
  EXPECT_EQ(seen, "11");
}

}  // namespace
}  // namespace prefixfs::daemon
