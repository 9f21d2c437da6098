#include "prefixfs/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/time_format.h"
#include "support/temp_dir.h"

namespace prefixfs {
namespace {

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

constexpr std::size_t kTimeLength = 24;  // 2026-11-21T10:00:00.123Z

TEST(LogLevelTest, ReadsItsFourNames) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("info"), LogLevel::info);
  EXPECT_EQ(parse_log_level("warn"), LogLevel::warn);
  EXPECT_EQ(parse_log_level("error"), LogLevel::error);
  for (const char* text : {"", "Debug", "warning", "info ", "trace"}) {
    EXPECT_EQ(parse_log_level(text), std::nullopt) << text;
  }
}

TEST(LogTest, WritesTimeLevelAndText) {
  testing::internal::CaptureStderr();
  const WallTime before = std::chrono::floor<std::chrono::milliseconds>(SystemClock().now());
  const auto log = make_log(LogTarget::stderr_stream, LogLevel::debug);
  log->debug("one {}", 1);
  log->info("two");
  log->warn("three {} {:02}", "x", 3);
  log->error("four");
  const WallTime after = SystemClock().now();
  const auto lines = lines_of(testing::internal::GetCapturedStderr());
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].substr(kTimeLength), " debug one 1");
  EXPECT_EQ(lines[1].substr(kTimeLength), " info  two");
  EXPECT_EQ(lines[2].substr(kTimeLength), " warn  three x 03");
  EXPECT_EQ(lines[3].substr(kTimeLength), " error four");
  const auto time = parse_iso8601(lines[0].substr(0, kTimeLength));
  ASSERT_TRUE(time) << lines[0];
  EXPECT_LE(before, *time);
  EXPECT_LE(*time, after);
}

TEST(LogTest, LeavesOutWhatIsBelowItsLevel) {
  const test::TempDir dir;
  const auto log = make_log(LogTarget::file, LogLevel::warn, dir.file("log"));
  EXPECT_FALSE(log->enabled(LogLevel::debug));
  EXPECT_FALSE(log->enabled(LogLevel::info));
  EXPECT_TRUE(log->enabled(LogLevel::warn));
  EXPECT_TRUE(log->enabled(LogLevel::error));
  log->info("not this");
  log->write(LogLevel::info, "nor this");
  log->warn("this");
  const auto lines = lines_of(read_file(dir.file("log")));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].substr(kTimeLength), " warn  this");
}

TEST(LogTest, OneCallIsOneLine) {
  const test::TempDir dir;
  const auto log = make_log(LogTarget::file, LogLevel::info, dir.file("log"));
  log->info("key {}", "a\n2026-11-21T10:00:00.123Z error forged\r\x1b[2J");
  log->info("{}", "braces {} and %v stay");
  const auto lines = lines_of(read_file(dir.file("log")));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].substr(kTimeLength), " info  key a\\n2026-11-21T10:00:00.123Z error forged\\r\\x1b[2J");
  EXPECT_EQ(lines[1].substr(kTimeLength), " info  braces {} and %v stay");
}

TEST(LogTest, ALogFileIsForItsOwnerAndIsAppendedTo) {
  const test::TempDir dir;
  const mode_t mask = ::umask(0);
  make_log(LogTarget::file, LogLevel::info, dir.file("log"))->info("first");
  ::umask(mask);
  make_log(LogTarget::file, LogLevel::info, dir.file("log"))->info("second");
  struct stat status {};
  ASSERT_EQ(::stat(dir.file("log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const auto lines = lines_of(read_file(dir.file("log")));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], testing::EndsWith(" first"));
  EXPECT_THAT(lines[1], testing::EndsWith(" second"));
}

TEST(LogTest, FallsBackToStderr) {
  const test::TempDir dir;
  testing::internal::CaptureStderr();
  const auto log = make_log(LogTarget::file, LogLevel::info, dir.file("no/such/folder/log"));
  log->info("still heard");
  const auto lines = lines_of(testing::internal::GetCapturedStderr());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].substr(kTimeLength), " error cannot open the log file " + dir.file("no/such/folder/log") +
                                              ": No such file or directory; log lines go to stderr");
  EXPECT_EQ(lines[1].substr(kTimeLength), " info  still heard");
}

TEST(LogTest, LinesOfManyThreadsDoNotMix) {
  const test::TempDir dir;
  {
    const auto log = make_log(LogTarget::file, LogLevel::info, dir.file("log"));
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int k = 0; k < 250; ++k) {
          log->info("{}", std::string(200, 'x'));
        }
      });
    }
    threads.clear();
  }
  const auto lines = lines_of(read_file(dir.file("log")));
  ASSERT_EQ(lines.size(), 1000U);
  for (const std::string& line : lines) {
    ASSERT_EQ(line.substr(kTimeLength), " info  " + std::string(200, 'x'));
  }
}

TEST(LogTest, SyslogTakesLinesWithoutADaemonToo) {
  const auto log = make_log(LogTarget::syslog, LogLevel::error);
  EXPECT_FALSE(log->enabled(LogLevel::warn));
  EXPECT_TRUE(log->enabled(LogLevel::error));
  log->error("a line of the unit tests");
}

TEST(LogTest, TheNullLogFormatsNothing) {
  testing::internal::CaptureStderr();
  const auto log = make_null_log();
  EXPECT_FALSE(log->enabled(LogLevel::error));
  log->error("dropped");
  log->write(LogLevel::error, "dropped");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace prefixfs
