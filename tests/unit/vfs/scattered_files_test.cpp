// Files all over a tree that are opened one after another: when a listing is worth it, and what it may not change.

#include "scattered_files.h"

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScatteredFilesTest : public VfsTest {
 protected:
  static constexpr auto kWindow = 1s;

  /// The listing that is due for the last of these keys.
  std::optional<ScatteredFiles::Listing> ask(const std::vector<std::string>& keys, std::chrono::milliseconds pause = 20ms) {
    std::optional<ScatteredFiles::Listing> listing;
    for (const std::string& key : keys) {
      now_ += pause;
      listing = files_.listing_for(key, now_, kWindow);
    }
    return listing;
  }
  static std::vector<std::string> keys(int count, const std::string& tree = "git/objects/") {
    std::vector<std::string> made;
    for (int number = 0; number < count; ++number) {
      made.push_back(fmt::format("{}{:02x}/{:04x}", tree, (number * 37) % 256, number));
    }
    return made;
  }

  ScatteredFiles files_;
  WallTime now_{1'700'000'000s};
};

TEST_F(ScatteredFilesTest, TheEighthWithinTheWindowIsWorthAListing) {
  EXPECT_FALSE(ask(keys(7)));
  const auto listing = ask({"git/objects/ff/0007"});
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->prefix, "git/objects/");
  EXPECT_EQ(listing->start_after, "git/objects/ff/000") << "whether all of it is one page is not known";
}

TEST_F(ScatteredFilesTest, SlowOnesAreNot) { EXPECT_FALSE(ask(keys(50), 150ms)); }

TEST_F(ScatteredFilesTest, WhereAPageIsAllOfTheTreeTheNextBeginsAtItsBeginning) {
  const auto first = ask(keys(8));
  ASSERT_TRUE(first);
  files_.listed(*first, 500, true, now_, kWindow);
  EXPECT_FALSE(ask(keys(5))) << "not so soon";
  now_ += 100ms;
  const auto second = ask(keys(3));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->start_after, "");
  files_.listed(*second, 500, false, now_, kWindow);
  now_ += 200ms;
  EXPECT_NE(ask(keys(3))->start_after, "") << "it has grown";
}

TEST_F(ScatteredFilesTest, OneThatBringsNothingIsNotTriedAgainForHalfAMinute) {
  files_.listed(*ask(keys(8)), 3, true, now_, kWindow);
  EXPECT_FALSE(ask(keys(1000)));
  now_ += 11s;
  EXPECT_TRUE(ask(keys(8)));
}

TEST_F(ScatteredFilesTest, NamesAtTheTopHaveNoPrefix) {
  const auto listing = ask({"a/1", "b/1", "c", "d/1", "e/1", "f/1", "g/1", "h/1"});
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->prefix, "");
  EXPECT_EQ(listing->start_after, "h/");
}

class TreeListingTest : public VfsTest {
 protected:
  static constexpr int kFiles = 200;

  /// All of them are known and here; the window is over.
  void SetUp() override {
    for (int number = 0; number < kFiles; ++number) {
      mount.memory.put_text(name_of(number), text_of(number));
    }
    for (int number = 0; number < kFiles; ++number) {
      ASSERT_EQ(mount.read_file(name_of(number)).value_or(""), text_of(number));
      inodes_.push_back(mount.id(name_of(number)));
    }
    mount.window_ends();
    mount.requests();
  }
  static std::string name_of(int number) { return fmt::format("tree/{:02}/{:03}", number % 67, number); }
  static std::string text_of(int number) { return fmt::format("text of {}", number); }

  /// As a program whose kernel still believes the names.
  Result<void> open(int number) {
    TRY_ASSIGN(const Opened opened, mount.fs().open(inodes_[static_cast<std::size_t>(number)], O_RDONLY, mount.caller()));
    mount.fs().release(opened.handle);
    return {};
  }
  void open_all_up_to(int end) {
    for (int number = 0; number < end; ++number) {
      EXPECT_OK(open(number));
    }
  }

  static s3::ObjectHeaders with_mode(const char* mode) {
    s3::ObjectHeaders headers;
    headers.user_metadata = {{"file-permissions", mode}};
    return headers;
  }

  Mount mount;
  std::vector<InodeId> inodes_;
};

TEST_F(TreeListingTest, FilesOfManyDirectoriesAreConfirmedTogether) {
  open_all_up_to(kFiles);
  const auto requests = mount.requests();
  EXPECT_THAT(requests, Contains("ListObjectsV2 tree/")) << "for the eighth and what lies behind it";
  EXPECT_LE(requests.size(), 30u);
}

TEST_F(TreeListingTest, TheirDirectoriesAreConfirmedToo) {
  for (int number = 0; number < kFiles; ++number) {
    EXPECT_OK(mount.lookup(name_of(number)));
  }
  EXPECT_LE(mount.requests().size(), 20u) << "67 directories";
}

TEST_F(TreeListingTest, ADirectoryWithOtherAttributesIsAskedFor) {
  const InodeId directory = mount.lookup("tree/60")->attributes.id;
  const auto mode = [&] { return mount.fs().getattr(directory, mount.caller())->attributes.posix.mode & 0777; };
  EXPECT_EQ(mode(), 0755u);
  for (const char* given : {"0040700", "0040750"}) {  // the first time there was no marker, the second time one with the same ETag
    mount.clock.advance(5s);
    mount.memory.put_text("tree/60/", "", with_mode(given));
    mount.window_ends();
    open_all_up_to(60);
    mount.requests();
    EXPECT_EQ(mode(), std::stoul(given, nullptr, 8) & 0777);
    mount.requests();
    EXPECT_EQ(mode(), std::stoul(given, nullptr, 8) & 0777);
    EXPECT_THAT(mount.requests(), IsEmpty());
  }
  mount.window_ends();
  open_all_up_to(60);
  mount.requests();
  EXPECT_EQ(mode(), 0750u);
  EXPECT_THAT(mount.requests(), IsEmpty()) << "its marker is in the listing, and as it was";
}

TEST_F(TreeListingTest, AnotherVersionIsSeenByIt) {
  mount.memory.put_text(name_of(60), "of another client");
  open_all_up_to(60);
  EXPECT_ERRC(open(60), Errc::stale) << "the kernel looks it up again";
  EXPECT_EQ(mount.read_file(name_of(60)).value_or(""), "of another client");
}

TEST_F(TreeListingTest, TheSameBytesWithOtherAttributesAreAskedFor) {
  mount.clock.advance(5s);
  mount.memory.put_text(name_of(60), text_of(60));
  mount.clock.advance(5s);
  open_all_up_to(60);
  mount.requests();
  EXPECT_OK(open(60));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject " + name_of(60)));
}

TEST_F(TreeListingTest, WhatIsGoneIsAskedFor) {
  mount.memory.erase(name_of(60));
  open_all_up_to(60);
  EXPECT_ERRC(open(60), Errc::stale);
  EXPECT_ERRC(mount.lookup(name_of(60)), Errc::not_found);
}

}  // namespace
}  // namespace prefixfs::vfs
