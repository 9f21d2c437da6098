#pragma once
// A mount with commit=journal whose S3 can be cut off, and let go on.

#include <condition_variable>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {

/// Looks at each change before it is made, and may refuse it.
class WatchedJournal final : public meta::Journal {
 public:
  using Look = std::function<Result<void>(const meta::JournalChange&)>;
  WatchedJournal(meta::Journal& inner, Look look, std::function<void()> after = [] {}) : inner_(inner), look_(std::move(look)), after_(std::move(after)) {}
  Result<meta::JournalContents> load() override { return inner_.load(); }
  Result<meta::IntentId> next_id() override { return inner_.next_id(); }
  Result<void> apply(meta::JournalChange change) override {
    TRY(look_(change));
    TRY(inner_.apply(std::move(change)));
    after_();
    return {};
  }
  meta::JournalStats stats() const override { return inner_.stats(); }

 private:
  meta::Journal& inner_;
  const Look look_;
  const std::function<void()> after_;
};

inline MountSettings journalled() {
  MountSettings given;
  given.settings.journal_commits = true;
  given.settings.journal_removals = true;
  return given;
}

class WriteBackTest : public VfsTest {
 protected:
  explicit WriteBackTest(const MountSettings& given = journalled()) : mount(given) {}
  void SetUp() override { mount.clock.hold_naps(true); }
  void TearDown() override { open_gate(); }

  /// S3 does not answer writes.
  void outage() {
    for (const char* operation : {"PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "CompleteMultipartUpload"}) {
      mount.store.add({.operation = operation, .count = -1});
    }
  }
  /// The queue has found that S3 does not answer, and tries nothing else.
  void outage_is_known() {
    outage();
    EXPECT_OK(mount.create_file(kRoot, "first", ""));
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!mount.fs().outage() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    ASSERT_TRUE(mount.fs().outage());
  }
  /// S3 answers again, and pauses take no time.
  void answers() {
    mount.store.clear_faults();
    mount.clock.hold_naps(false);
  }
  void delivered() {
    const auto drained = mount.fs().drain(true, {SteadyTime::max(), deadline_.get_token()});
    EXPECT_OK(drained);
    EXPECT_TRUE(mount.fs().owed().empty());
  }

  /// The next such requests wait for open_gate(), or for let_one_through().
  void close_gate(std::string operation = "PutObject") {
    gate_ = true;
    mount.store.before_each([this, operation](const test::FaultyStore::Call& call) {
      std::unique_lock lock(mutex_);
      if (call.operation == operation && gate_) {
        const int mine = ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this, mine] { return !gate_ || mine <= let_through_; });
      }
    });
  }
  void let_one_through() {
    const std::lock_guard lock(mutex_);
    ++let_through_;
    changed_.notify_all();
  }
  /// Until so many have come to it.
  void wait_for_gate(int requests = 1) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 10s, [&] { return waiting_ >= requests; }));
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    gate_ = false;
    changed_.notify_all();
  }

  Mount mount;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool gate_ = false;
  int waiting_ = 0;
  int let_through_ = 0;
  std::stop_source deadline_;
};

}  // namespace prefixfs::vfs
