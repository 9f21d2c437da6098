// commit=journal: two programs at once, of which one changes what is owed under the name that the other one stores.

#include <atomic>
#include <future>

#include "owed_moves_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::IsEmpty;

/// What may be in the middle of being journalled when a file is closed under the name `a`, from which `b` is to be copied.
struct Change {
  std::string name;
  std::function<Result<void>(Mount&)> make;
  std::map<std::string, std::string> left;  ///< the other names, and what they have
  friend void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }
};

/// Renames wait for what may take their place, and the clock stands still.
MountSettings lingering() {
  MountSettings given = journalled();
  given.settings.removal_linger = 100ms;
  return given;
}

Result<void> renamed(Mount& mount, std::string_view from, std::string_view to) {
  return mount.fs().rename(meta::kRootInode, from, meta::kRootInode, to, 0, mount.caller());
}

const std::vector<Change> kChanges{
    {"Replaced", [](Mount& mount) { return renamed(mount, "c", "b"); }, {{"b", "other"}}},
    {"Unlinked", [](Mount& mount) { return mount.fs().unlink(meta::kRootInode, "b", mount.caller()); }, {{"c", "other"}}},
    {"RenamedAgain", [](Mount& mount) { return renamed(mount, "b", "d"); }, {{"c", "other"}, {"d", "old"}}},
    {"GivenAnotherMode",
     [](Mount& mount) {
       const auto changed = mount.fs().setattr(mount.id("b"), {}, {.mode = 0600}, mount.caller());
       return changed ? Result<void>() : fail(changed.error());
     },
     {{"b", "old"}, {"c", "other"}}},
};

/// `a` was renamed to `b`, of which S3 has not heard, and is made anew: with these flags.
class OwedRacesTest : public OwedMovesTest, public ::testing::WithParamInterface<std::tuple<Change, int>> {
 protected:
  OwedRacesTest() : OwedMovesTest(lingering()) {}
  void SetUp() override {
    OwedMovesTest::SetUp();
    mount.wrap_journal = [this](meta::Journal& inner) {
      return std::make_unique<WatchedJournal>(inner, [this](const meta::JournalChange& change) {
        if (!change.put.empty() && armed_.exchange(false)) {
          meanwhile_();
        }
        return Result<void>();
      });
    };
    mount.restart();
    mount.memory.put_text("a", "old");
    mount.memory.put_text("c", "other");
    static_cast<void>(mount.names(kRoot));
  }
  void rename_and_make_anew() {
    ASSERT_OK(rename("a", "b"));
    const auto handle = mount.create(kRoot, "a", O_WRONLY | flags());
    ASSERT_OK(handle);
    handle_ = *handle;
    ASSERT_OK(mount.write(handle_, 0, "new"));
  }
  /// Before the next thing is acknowledged.
  void when_journalled(std::function<void()> meanwhile) {
    meanwhile_ = std::move(meanwhile);
    armed_ = true;
  }
  Result<void> close() { return mount.close(handle_); }
  static const Change& change() { return std::get<0>(GetParam()); }
  static int flags() { return std::get<1>(GetParam()); }
  void nothing_is_lost() {
    EXPECT_EQ(mount.memory.text("a"), "new");
    std::vector<std::string> names{"a"};
    for (const auto& [name, text] : change().left) {
      EXPECT_EQ(mount.memory.text(name), text) << name;
      names.push_back(name);
    }
    std::vector<std::string> keys = mount.memory.keys();
    std::erase(keys, "first");
    EXPECT_EQ(keys, names);
    EXPECT_THAT(mount.kept(), IsEmpty());
    mount.window_ends();
    EXPECT_EQ(mount.read_file("a").value_or(""), "new");
  }

 private:
  HandleId handle_ = 0;
  std::function<void()> meanwhile_;
  std::atomic<bool> armed_{false};
};

INSTANTIATE_TEST_SUITE_P(, OwedRacesTest, ::testing::Combine(::testing::ValuesIn(kChanges), ::testing::Values(O_EXCL, 0)), [](const auto& given) {
  return std::get<0>(given.param).name + (std::get<1>(given.param) == O_EXCL ? "Exclusive" : "");
});

TEST_P(OwedRacesTest, AFileIsClosedWhileTheOneThatHadItsNameChanges) {
  constexpr auto kMoment = 50ms;  // it waits for the change; before, it did not
  rename_and_make_anew();
  std::future<Result<void>> closed;
  when_journalled([&] {
    closed = std::async(std::launch::async, [&] { return close(); });
    closed.wait_for(kMoment);
  });
  ASSERT_OK(change().make(mount));
  ASSERT_TRUE(closed.valid());
  ASSERT_OK(closed.get());
  delivered();
  nothing_is_lost();
}

TEST_P(OwedRacesTest, TheOneThatHadItsNameChangesWhileAFileIsClosed) {
  rename_and_make_anew();
  when_journalled([&] { EXPECT_OK(std::async(std::launch::async, [&] { return change().make(mount); }).get()); });
  ASSERT_OK(close());
  delivered();
  nothing_is_lost();
}

TEST_P(OwedRacesTest, TheJournalHasTheSameOrder) {
  outage_is_known();
  rename_and_make_anew();
  when_journalled([&] { EXPECT_OK(std::async(std::launch::async, [&] { return change().make(mount); }).get()); });
  ASSERT_OK(close());
  mount.restart();
  answers();
  delivered();
  nothing_is_lost();
}

/// S3 has the new version of a file already, made of ranges of the one before, and the answer to that is on its way.
class OwedRangesTest : public WriteBackTest {
 protected:
  OwedRangesTest() : WriteBackTest(given()) { mount.memory.set_part_bytes_min(16 << 10); }
  static MountSettings given() {
    MountSettings given = small_parts();
    given.settings.journal_commits = true;
    return given;
  }
};

TEST_F(OwedRangesTest, AReaderWhoAsksForTheFormerVersionMeanwhileGetsItsBytes) {
  std::string text = pattern(1 << 20);
  mount.memory.put_text("big", text);
  const auto handle = mount.open("big", O_RDWR);
  ASSERT_OK(handle);
  std::promise<void> stored;
  std::promise<void> refused;
  std::once_flag once;
  std::atomic<bool> reads = false;
  mount.store.after_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "CompleteMultipartUpload") {
      std::call_once(once, [&] {
        reads = true;
        stored.set_value();
        EXPECT_EQ(refused.get_future().wait_for(10s), std::future_status::ready);
      });
    } else if (call.operation == "GetObject" && reads.exchange(false)) {
      refused.set_value();
    }
  });
  ASSERT_OK(mount.write(*handle, 0, "NEW"));
  text.replace(0, 3, "NEW");
  mount.clock.hold_naps(false);
  ASSERT_OK(mount.fs().fsync(*handle, mount.caller()));
  ASSERT_EQ(stored.get_future().wait_for(10s), std::future_status::ready);
  const auto bytes = mount.read(*handle);
  ASSERT_OK(bytes);
  EXPECT_TRUE(*bytes == text);
  EXPECT_OK(mount.close(*handle));
  delivered();
  EXPECT_TRUE(mount.memory.text("big") == text);
}

}  // namespace
}  // namespace prefixfs::vfs
