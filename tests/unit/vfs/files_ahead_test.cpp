// Files that are fetched before a program opens them.

#include <condition_variable>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

constexpr int kFiles = 60;

MountSettings ahead() {
  MountSettings given;
  given.settings.files_ahead_max = 64;
  return given;
}

std::string path_of(int file) { return fmt::format("d/{:04}", file); }
std::string text_of(int file) { return fmt::format("the text of {}", file); }

class FilesAheadTest : public VfsTest {
 protected:
  static constexpr auto kDeadline = 20s;

  void make_files(Mount& mount, int files = kFiles, const s3::ObjectHeaders& headers = {}) {
    for (int file = 0; file < files; ++file) {
      mount.memory.put_text(path_of(file), text_of(file), headers);
    }
    ASSERT_OK(mount.names(mount.id("d")));
    mount.requests();
  }
  /// How often S3 was asked for the file's bytes.
  static int gets(Mount& mount, int file) {
    const auto calls = mount.store.calls();
    return static_cast<int>(std::ranges::count_if(calls, [&](const auto& call) { return call.operation == "GetObject" && call.key == path_of(file); }));
  }
  /// Waits until S3 is asked for the file by somebody.
  void until_asked(Mount& mount, int file) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (gets(mount, file) == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << path_of(file) << " was not asked for";
      std::this_thread::yield();
    }
  }
  void read_in_order(Mount& mount, int begin, int end) {
    for (int file = begin; file < end; ++file) {
      const auto text = mount.read_file(path_of(file));
      ASSERT_OK(text);
      EXPECT_EQ(*text, text_of(file));
    }
  }
};

/// Holds the GETs of one key until it is opened.
class HeldGet {
 public:
  HeldGet(Mount& mount, std::string key) {
    mount.store.before_each([this, key = std::move(key)](const test::FaultyStore::Call& call) {
      if (call.operation == "GetObject" && call.key == key) {
        std::unique_lock lock(mutex_);
        let_go_.wait(lock, [this] { return open_; });
      }
    });
  }
  ~HeldGet() { let_go(); }
  void let_go() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    let_go_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable let_go_;
  bool open_ = false;
};

TEST_F(FilesAheadTest, WhatIsReadInOrderIsFetchedOnceEach) {
  Mount mount(ahead());
  make_files(mount);
  read_in_order(mount, 0, kFiles);
  EXPECT_EQ(mount.store.count("GetObject"), kFiles);
  for (int file = 0; file < kFiles; ++file) {
    EXPECT_EQ(gets(mount, file), 1) << path_of(file);
  }
}

TEST_F(FilesAheadTest, ThreeFilesInOrderBringTheNextOnesBeforeTheyAreOpened) {
  Mount mount(ahead());
  make_files(mount);
  read_in_order(mount, 0, 3);
  for (int file = 3; file <= 6; ++file) {
    until_asked(mount, file);
  }
  EXPECT_EQ(gets(mount, 20), 0);
}

TEST_F(FilesAheadTest, WhoOpensAFileThatIsOnItsWayWaitsForIt) {
  Mount mount(ahead());
  make_files(mount);
  HeldGet held(mount, path_of(3));
  read_in_order(mount, 0, 2);
  until_asked(mount, 3);
  std::thread reader([&] { read_in_order(mount, 3, 4); });
  held.let_go();
  reader.join();
  EXPECT_EQ(gets(mount, 3), 1);
}

TEST_F(FilesAheadTest, NothingIsFetchedForOneFileOrForAnyOrder) {
  Mount mount(ahead());
  make_files(mount);
  for (const int file : {40, 3, 59, 20}) {
    read_in_order(mount, file, file + 1);
  }
  EXPECT_EQ(mount.store.count("GetObject"), 4);
}

TEST_F(FilesAheadTest, WhoWritesReadsNoOrder) {
  Mount mount(ahead());
  make_files(mount);
  for (int file = 0; file < 4; ++file) {
    const auto handle = mount.open(path_of(file), O_WRONLY);
    ASSERT_OK(handle);
    EXPECT_OK(mount.close(*handle));
  }
  EXPECT_EQ(gets(mount, 4) + gets(mount, 5) + gets(mount, 6), 0);
}

TEST_F(FilesAheadTest, AfterTheWindowAnOpenAsksAsAlways) {
  Mount mount(ahead());
  make_files(mount);
  read_in_order(mount, 0, 2);
  until_asked(mount, 3);
  read_in_order(mount, 2, 3);
  mount.window_ends();
  mount.memory.put_text(path_of(3), "another client's");
  const auto text = mount.read_file(path_of(3));
  ASSERT_OK(text);
  EXPECT_EQ(*text, "another client's");
}

TEST_F(FilesAheadTest, OtherPermissionsThanAListingShowsAreToldBeforeTheFileIsOpened) {
  Mount mount(ahead());
  make_files(mount, kFiles, {.user_metadata = {{"file-permissions", "0100600"}}});
  for (int file = 0; file < 2; ++file) {
    ASSERT_OK(mount.read_file(path_of(file)));
  }
  const InodeId third = mount.id(path_of(2));
  until_asked(mount, 2);
  // The kernel has been told what the listing said, if it came before the answer: then it looks again.
  const auto opened = mount.open_once(path_of(2), O_RDONLY);
  const auto entry = mount.lookup(path_of(2));
  ASSERT_OK(entry);
  EXPECT_EQ(entry->attributes.id, third);
  EXPECT_EQ(entry->attributes.posix.mode, 0600u);
  EXPECT_TRUE(opened || opened.error().code == Errc::stale);
  EXPECT_OK(mount.open(path_of(2), O_RDONLY));
  EXPECT_EQ(gets(mount, 2), 1);
}

TEST_F(FilesAheadTest, WhatCannotBeFetchedAheadIsAskedForByWhoOpensIt) {
  Mount mount(ahead());
  make_files(mount);
  mount.store.add({.operation = "GetObject", .key = path_of(2)});
  mount.store.add({.operation = "GetObject", .key = path_of(3), .error = {Errc::throttled, "slow down", {}}});
  read_in_order(mount, 0, 2);
  until_asked(mount, 2);
  until_asked(mount, 3);
  read_in_order(mount, 2, kFiles);
}

TEST_F(FilesAheadTest, WithoutACacheOrAWindowNothingIsFetchedAhead) {
  MountSettings without_cache = ahead();
  without_cache.settings.cache_bytes_max = 0;
  MountSettings without_window = ahead();
  without_window.settings.freshness = 0ns;
  for (const MountSettings& given : {without_cache, without_window}) {
    Mount mount(given);
    make_files(mount);
    read_in_order(mount, 0, 10);
    EXPECT_EQ(gets(mount, 10) + gets(mount, 11) + gets(mount, 12), 0);
  }
}

TEST_F(FilesAheadTest, FilesThatAreReadToTheirEndComeWhole) {
  MountSettings given = small_parts();
  given.settings.files_ahead_max = 64;
  Mount mount(given);
  const std::string text = pattern(3 * given.settings.first_block_bytes);
  for (int file = 0; file < kFiles; ++file) {
    mount.memory.put_text(path_of(file), text);
  }
  ASSERT_OK(mount.names(mount.id("d")));
  mount.requests();
  for (int file = 0; file < kFiles; ++file) {
    // The first names were learnt before it was known that the files are read to their end.
    const bool comes_whole = file >= 30;
    if (comes_whole) {
      until_asked(mount, file);
    }
    EXPECT_EQ(mount.read_file(path_of(file)).value_or(""), text);
    EXPECT_EQ(gets(mount, file), comes_whole ? 1 : gets(mount, file)) << path_of(file);
  }
}

TEST_F(FilesAheadTest, WhatIsLeftBehindInOtherDirectoriesIsFetchedForNothing) {
  constexpr int kDirectories = 40;
  constexpr int kEach = 12;
  constexpr std::size_t kBytes = 100'000;
  Mount mount(ahead());
  const auto path = [](int directory, int file) { return fmt::format("{:02}/{:04}", directory, file); };
  for (int directory = 0; directory < kDirectories; ++directory) {
    for (int file = 0; file < kEach; ++file) {
      mount.memory.put_text(path(directory, file), pattern(kBytes));
    }
  }
  ASSERT_OK(mount.names(kRoot));
  for (int directory = 0; directory < kDirectories; ++directory) {
    ASSERT_OK(mount.names(mount.id(fmt::format("{:02}", directory))));
    for (int file = 0; file < 3; ++file) {
      ASSERT_OK(mount.read_file(path(directory, file)));
    }
    mount.clock.advance(1ms);
  }
  // A little is free, and one directory may be on its way when it is noticed.
  EXPECT_LE(mount.store.count("GetObject") - 3 * kDirectories, (4 << 20) / static_cast<int>(kBytes) + 3 * kDirectories / 20 + kEach);
}

TEST_F(FilesAheadTest, WhoGoesThroughATreeIsExpectedInEachDirectory) {
  Mount mount(ahead());
  for (int file = 0; file < 5; ++file) {
    mount.memory.put_text(fmt::format("e/{:04}", file), text_of(file));
  }
  make_files(mount);
  ASSERT_OK(mount.names(mount.id("e")));
  read_in_order(mount, 0, kFiles);
  mount.requests();
  ASSERT_OK(mount.read_file("e/0000"));
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (mount.store.count("GetObject") < 3 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GE(mount.store.count("GetObject"), 3);
}

}  // namespace
}  // namespace prefixfs::vfs
