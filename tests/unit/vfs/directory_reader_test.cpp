// A directory of several pages is read while its listing is under way.

#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

/// What a program has open, and reads a batch at a time.
class Reader {
 public:
  explicit Reader(Mount& mount, InodeId directory = meta::kRootInode) : mount_(mount), handle_(mount.fs().opendir(directory, mount.caller()).value()) {}
  ~Reader() { mount_.fs().releasedir(handle_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// One call of readdir, with place for `batch` entries.
  Result<std::vector<std::string>> read(std::size_t batch = 5000) {
    std::vector<std::string> names;
    std::size_t given = 0;
    TRY(mount_.fs().readdir(handle_, position_, [&](const DirectoryEntry& entry) {
      if (given == batch) {
        return false;
      }
      ++given;
      position_ = entry.position;
      if (entry.name != "." && entry.name != "..") {
        names.push_back(entry.name);
      }
      return true;
    }, mount_.caller()));
    ended_ = given == 0;
    return names;
  }
  std::vector<std::string> rest(std::size_t batch = 5000) {
    std::vector<std::string> all;
    while (!ended_) {
      auto names = read(batch);
      EXPECT_OK(names);
      if (!names) {
        break;
      }
      std::ranges::move(*names, std::back_inserter(all));
    }
    return all;
  }
  HandleId handle() const { return handle_; }

 private:
  Mount& mount_;
  const HandleId handle_;
  std::uint64_t position_ = 0;
  bool ended_ = false;
};

class DirectoryReaderTest : public VfsTest {
 protected:
  /// Objects with the names 0000, 0001, ... behind `before`.
  std::vector<std::string> put_many(int count, const std::string& before = "") {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(fmt::format("{}{:04}", before, i));
      mount.memory.put_text(names.back(), "x");
    }
    return names;
  }
  /// Whether S3 has been asked for so many pages, at most a while from now.
  bool comes(int pages) const {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (mount.store.count("ListObjectsV2") < pages && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    return mount.store.count("ListObjectsV2") == pages;
  }
  static std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
  }
  static std::vector<std::string> joined(std::vector<std::string> names, const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
    return names;
  }

  Mount mount;
};

TEST_F(DirectoryReaderTest, TheFirstNamesComeWithTheFirstPage) {
  const auto all = put_many(2500);
  Reader reader(mount);
  mount.requests();
  const auto first = reader.read();
  ASSERT_OK(first);
  EXPECT_EQ(first->size(), 999u) << "0999 may be a directory: the next page tells";
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 "));
  EXPECT_EQ(joined(*first, reader.rest(100)), all);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 ", "ListObjectsV2 "));
}

TEST_F(DirectoryReaderTest, WhatAPageHasToldIsBelievedWhileTheDirectoryIsRead) {
  put_many(1900);
  Reader reader(mount);
  ASSERT_OK(reader.read());
  mount.window_ends();
  ASSERT_OK(reader.read());
  mount.requests();
  EXPECT_OK(mount.lookup("0000"));
  EXPECT_OK(mount.lookup("1500"));
  EXPECT_THAT(mount.requests(), ElementsAre());
  mount.window_ends();
  mount.clock.advance(1s);
  EXPECT_OK(mount.lookup("0000"));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject 0000"));
}

TEST_F(DirectoryReaderTest, ADirectoryComesInItsPlaceAmongTheKeys) {
  mount.memory.put_text("report/x", "x");
  auto expected = put_many(1500, "report-");
  expected.push_back("report");
  EXPECT_EQ(Reader(mount).rest(), expected);
  EXPECT_EQ(Reader(mount).rest(7), expected) << "from the cache it is the same";
}

TEST_F(DirectoryReaderTest, AFileBesideADirectoryOfALaterPageIsGivenOnce) {
  put_many(999, "a");
  mount.memory.put_text("m", "the last key of the first page");
  put_many(1100, "m-");
  mount.memory.put_text("m/below", "x");
  const auto names = Reader(mount).rest(50);
  EXPECT_EQ(names.size(), 999u + 1100u + 2u);
  EXPECT_EQ(std::ranges::count(names, "m"), 1);
  EXPECT_EQ(names.back(), "@s3-object-m");
  EXPECT_EQ(mount.lookup("m")->attributes.kind, NodeKind::directory);
}

TEST_F(DirectoryReaderTest, SubstituteNamesComeLast) {
  auto expected = put_many(1500);
  mount.memory.put_text("\x01\xff", "x");  // before all others
  mount.memory.put_text("0700//x", "x");
  mount.memory.put_text("0700/", "content");
  mount.memory.put_text("zzz\xff", "x");
  mount.memory.put_text("Z", "x");
  expected.push_back("Z");
  expected.push_back("@s3-object-0700");
  expected.push_back("@s3-raw-\x01%FF");
  expected.push_back("@s3-raw-zzz%FF");
  for (const std::size_t batch : {1, 100, 5000}) {
    EXPECT_EQ(Reader(mount).rest(batch), expected) << batch;
    mount.window_ends();
    EXPECT_EQ(Reader(mount).rest(batch), expected) << batch;
  }
}

TEST_F(DirectoryReaderTest, WhatIsGoneIsNotGivenAndItsRecordGoesWithItsPage) {
  put_many(2500);
  Reader(mount).rest();
  for (const char* name : {"0000", "0500", "0999", "1000", "2499"}) {
    mount.memory.erase(name);
  }
  mount.window_ends();
  Reader reader(mount);
  ASSERT_OK(reader.read(10));
  EXPECT_FALSE(mount.nodes().find(kRoot, "0500")->has_value());
  EXPECT_TRUE(mount.nodes().find(kRoot, "2499")->has_value());
  EXPECT_EQ(reader.rest().size(), 2500u - 5u - 10u + 2u);
  EXPECT_EQ(mount.nodes().listing(kRoot)->entries, 2495u);
}

TEST_F(DirectoryReaderTest, ANameMadeHereAheadIsGivenAndOneRemovedIsNot) {
  put_many(2500);
  Reader reader(mount);
  ASSERT_OK(reader.read(10));
  ASSERT_OK(mount.create_file(kRoot, "2000-new", "x"));
  ASSERT_OK(mount.fs().unlink(kRoot, "1999", mount.caller()));
  const auto written = mount.create(kRoot, "2001-being-written");
  ASSERT_OK(written);
  const auto names = reader.rest();
  EXPECT_THAT(names, Contains("2000-new"));
  EXPECT_THAT(names, Contains("2001-being-written"));
  EXPECT_THAT(names, Not(Contains("1999")));
  EXPECT_EQ(names.size(), 2500u - 10u + 2u + 2u - 1u);
  ASSERT_OK(mount.close(*written));
}

TEST_F(DirectoryReaderTest, AfterAnErrorTheSamePageIsAskedForAgain) {
  const auto all = put_many(2500);
  mount.store.add({.operation = "ListObjectsV2", .skip = 1, .count = 1});
  Reader reader(mount);
  const auto first = reader.read();
  ASSERT_OK(first);
  EXPECT_ERRC(reader.read(), Errc::unavailable);
  EXPECT_EQ(joined(*first, reader.rest()), all);
}

TEST_F(DirectoryReaderTest, WhoReadsOnFindsTheNextPageOnItsWay) {
  const auto all = put_many(4500);
  Reader reader(mount);
  auto names = *reader.read();
  EXPECT_EQ(mount.store.count("ListObjectsV2"), 1) << "a program may stop after the first names";
  names = joined(names, *reader.read());
  EXPECT_TRUE(comes(3));
  names = joined(names, *reader.read());
  EXPECT_TRUE(comes(4));
  EXPECT_EQ(joined(names, reader.rest()), all);
  EXPECT_EQ(mount.store.count("ListObjectsV2"), 5);
}

TEST_F(DirectoryReaderTest, APageThatHasWaitedForLongIsAskedForAgain) {
  put_many(2500);
  Reader reader(mount);
  ASSERT_OK(reader.read());
  ASSERT_OK(reader.read());
  ASSERT_TRUE(comes(3));
  mount.memory.erase("2400");
  mount.clock.advance(11s);
  EXPECT_THAT(reader.rest(), Not(Contains("2400")));
}

TEST_F(DirectoryReaderTest, AnErrorOfAPageThatWasAskedForAheadIsTold) {
  const auto all = put_many(3500);
  mount.store.add({.operation = "ListObjectsV2", .skip = 2, .count = 1});
  Reader reader(mount);
  auto names = *reader.read();
  names = joined(names, *reader.read());
  EXPECT_ERRC(reader.read(), Errc::unavailable);
  EXPECT_EQ(joined(names, reader.rest()), all);
}

TEST_F(DirectoryReaderTest, WhoStopsReadingWaitsForNoPage) {
  put_many(3500);
  {
    Reader reader(mount);
    ASSERT_OK(reader.read());
    ASSERT_OK(reader.read());
  }
  EXPECT_LE(mount.store.count("ListObjectsV2"), 3);
  EXPECT_EQ(Reader(mount).rest().size(), 3500u);
}

TEST_F(DirectoryReaderTest, NeverTheEndWhereThePageIsNotToBeHad) {
  put_many(2500);
  mount.store.add({.operation = "ListObjectsV2", .skip = 1, .count = 1, .error = {Errc::not_found, "NoSuchBucket", {}}});
  Reader reader(mount);
  ASSERT_OK(reader.read());
  EXPECT_ERRC(reader.read(), Errc::io);
}

TEST_F(DirectoryReaderTest, ADirectoryThatIsRenamedIsReadOnUnderItsNewName) {
  const auto all = put_many(2500, "old/");
  Reader reader(mount, mount.id("old"));
  const auto first = reader.read();
  ASSERT_OK(first);
  ASSERT_OK(mount.fs().rename(kRoot, "old", kRoot, "new", 0, mount.caller()));
  const auto rest = reader.rest();
  EXPECT_EQ(first->size() + rest.size(), 2500u);
  EXPECT_EQ(rest.front(), "0999");
}

TEST_F(DirectoryReaderTest, AnotherProcessGoesOnWhereTheFirstWas) {
  put_many(2500);
  Reader reader(mount);
  const auto first = reader.read(1500);
  ASSERT_OK(first);
  const auto second = reader.read(700);
  ASSERT_OK(second);
  mount.restart();
  mount.fs().reopen_directory(reader.handle(), kRoot);
  EXPECT_EQ(first->size() + second->size() + reader.rest().size(), 2500u);
}

TEST_F(DirectoryReaderTest, AnEndpointThatListsInAnotherOrderHidesNoName) {
  const auto all = put_many(3500);
  mount.memory.put_text("d/x", "x");
  mount.memory.list_backwards();
  auto expected = joined(all, {"d"});
  EXPECT_EQ(sorted(Reader(mount).rest(100)), expected);
  mount.window_ends();
  Reader again(mount);
  const auto dots = again.read();
  ASSERT_OK(dots);
  EXPECT_TRUE(dots->empty()) << "from now on the whole listing is waited for";
  EXPECT_EQ(again.rest(100), expected);
}

}  // namespace
}  // namespace prefixfs::vfs
