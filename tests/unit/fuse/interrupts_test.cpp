#include "interrupts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace prefixfs::fuse {
namespace {

/// /proc/<thread>/status, as far as it matters here (proc(5)).
std::string status_with(std::uint64_t thread_pending, std::uint64_t process_pending, std::uint64_t blocked) {
  return fmt::format("Name:\tcat\nSigQ:\t0/62000\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\n", thread_pending,
                     process_pending, blocked, 0);
}
constexpr std::uint64_t bit(int number) { return 1ULL << (number - 1); }

TEST(InterruptsTest, SignalsThatEndAWait) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGKILL}) {
    EXPECT_TRUE(is_to_end(status_with(bit(number), 0, 0))) << number;
    EXPECT_TRUE(is_to_end(status_with(0, bit(number), 0))) << number;
  }
}

TEST(InterruptsTest, SignalsThatRuntimesSendThemselvesDoNot) {
  for (const int number : {SIGURG, SIGPROF, SIGVTALRM, SIGCHLD, SIGWINCH, SIGUSR1, SIGUSR2, SIGPIPE, SIGCONT}) {
    EXPECT_FALSE(is_to_end(status_with(bit(number), bit(number), 0))) << number;
  }
  EXPECT_FALSE(is_to_end(status_with(0, 0, 0)));
}

TEST(InterruptsTest, BlockedSignalsWait) {
  EXPECT_FALSE(is_to_end(status_with(0, bit(SIGTERM), bit(SIGTERM))));
  EXPECT_TRUE(is_to_end(status_with(bit(SIGINT), bit(SIGTERM), bit(SIGTERM))));
}

TEST(InterruptsTest, TextWithoutMasksSaysNothing) {
  EXPECT_FALSE(is_to_end(std::string_view("")));
  EXPECT_FALSE(is_to_end(std::string_view("SigPnd:")));
  EXPECT_FALSE(is_to_end(std::string_view("SigPnd:\tzzzz\n")));
}

TEST(InterruptsTest, ThreadsThatLiveAndThatDoNot) {
  EXPECT_FALSE(is_to_end(::gettid()));
  EXPECT_TRUE(is_to_end(pid_t{0x7ffffff0})) << "it is gone: nobody waits";
}

}  // namespace
}  // namespace prefixfs::fuse
