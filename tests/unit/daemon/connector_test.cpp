#include "connector.h"

#include <condition_variable>
#include <mutex>

#include "unit/vfs/vfs_fixture.h"

namespace prefixfs::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Keeps its lines, and lets a test wait for one.
class KeptLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    changed_.notify_all();
  }
  bool wait_for(std::string_view text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] {
      return std::ranges::any_of(lines_, [&](const std::string& line) { return line.find(text) != std::string::npos; });
    });
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

TEST(ConnectorTest, AsksUntilS3AnswersAndTellsEachKindOfFailureOnce) {
  vfs::Mount mount;
  mount.store.add({.operation = "ListObjectsV2", .count = 3, .error = {Errc::unavailable, "no route", {}}});
  mount.store.add({.operation = "ListObjectsV2", .count = 2, .error = {Errc::credentials, "no credentials", {}}});
  KeptLog log;
  {
    const Connector connector(mount.fs(), mount.breaker, false, mount.clock, log);
    EXPECT_TRUE(log.wait_for("S3 answers"));
  }
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("no route"), HasSubstr("no credentials"), HasSubstr("S3 answers")));
  EXPECT_THAT(mount.clock.naps(), ElementsAre(200ms, 400ms, 800ms, 1600ms, 3200ms));
}

TEST(ConnectorTest, MissingRightToListIsNoFailure) {
  vfs::Mount mount;
  mount.memory.set_rights({.list = false});
  KeptLog log;
  const Connector connector(mount.fs(), mount.breaker, false, mount.clock, log);
  EXPECT_TRUE(log.wait_for("S3 answers"));
}

TEST(ConnectorTest, PausesGrowToFiveSeconds) {
  vfs::Mount mount;
  mount.store.add({.operation = "ListObjectsV2", .count = 10});
  KeptLog log;
  const Connector connector(mount.fs(), mount.breaker, false, mount.clock, log);
  EXPECT_TRUE(log.wait_for("S3 answers"));
  EXPECT_EQ(mount.clock.naps().back(), 5s);
}

TEST(ConnectorTest, EndsWhenItIsDestroyed) {
  vfs::Mount mount;
  mount.store.add({.operation = "ListObjectsV2", .count = -1});
  KeptLog log;
  const Connector connector(mount.fs(), mount.breaker, false, mount.clock, log);
  EXPECT_TRUE(log.wait_for("cannot be used yet"));
}

}  // namespace
}  // namespace prefixfs::daemon
