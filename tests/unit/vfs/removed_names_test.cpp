// Names that are looked up to be removed: unlink(2) of names that are known, one after another.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RemovedNamesTest : public VfsTest {
 protected:
  static Result<Entry> look_to_remove(Mount& mount, InodeId parent, std::string_view name) {
    mount.processes.intent = LookupIntent::remove;
    auto found = mount.fs().lookup(parent, name, mount.caller());
    mount.processes.intent = LookupIntent::unknown;
    return found;
  }
  /// What the kernel does for unlink(2).
  static Result<void> remove(Mount& mount, InodeId parent, std::string_view name) {
    TRY(look_to_remove(mount, parent, name));
    return mount.fs().unlink(parent, name, mount.caller());
  }
  /// Files of another client that this mount has listed a while ago: 000, 001 and so on.
  static void listed(Mount& mount, int files) {
    for (int number = 0; number < files; ++number) {
      mount.memory.put_text(name_of(number), "theirs");
    }
    ASSERT_OK(mount.names(kRoot));
    mount.window_ends();
    mount.window_ends();  // what readdir has told is believed a little longer
    mount.requests();
  }
  static std::string name_of(int number) { return fmt::format("{:03}", number); }
};

TEST_F(RemovedNamesTest, ManyInOrderAreOneDeleteEachAndAListingForThoseOfAWindow) {
  Mount mount;
  listed(mount, 200);
  int listings = 0;
  for (int number = 0; number < 200; ++number) {
    ASSERT_OK(remove(mount, kRoot, name_of(number)));
    auto requests = mount.requests();
    ASSERT_EQ(requests.back(), "DeleteObject " + name_of(number));
    requests.pop_back();
    if (number < 2) {
      EXPECT_THAT(requests, ElementsAre("GetObject " + name_of(number))) << "two may come by chance";
    } else if (!requests.empty()) {
      EXPECT_THAT(requests, ElementsAre("ListObjectsV2 "));
      ++listings;
    }
    mount.clock.advance(30ms);
  }
  EXPECT_EQ(listings, 200 * 30 / 1000);
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
}

TEST_F(RemovedNamesTest, WhatAnotherClientHasRemovedMeanwhileIsNotThere) {
  Mount mount;
  listed(mount, 10);
  for (const int gone : {1, 5}) {
    mount.memory.erase(name_of(gone));
  }
  for (int number = 0; number < 10; ++number) {
    const auto removed = remove(mount, kRoot, name_of(number));
    if (number == 1 || number == 5) {
      EXPECT_ERRC(removed, Errc::not_found);
    } else {
      EXPECT_OK(removed);
    }
    mount.clock.advance(400ms);
  }
}

TEST_F(RemovedNamesTest, InAnotherOrderEachIsAskedForAlone) {
  Mount mount;
  listed(mount, 20);
  for (int number = 19; number >= 0; --number) {
    ASSERT_OK(remove(mount, kRoot, name_of(number)));
    EXPECT_THAT(mount.requests(), ElementsAre("GetObject " + name_of(number), "DeleteObject " + name_of(number)));
  }
}

TEST_F(RemovedNamesTest, WhereAListingHasNoAnswerEachIsAskedForAlone) {
  Mount mount;
  listed(mount, 10);
  mount.store.add({.operation = "ListObjectsV2", .count = -1});
  for (int number = 0; number < 10; ++number) {
    EXPECT_OK(remove(mount, kRoot, name_of(number)));
  }
}

TEST_F(RemovedNamesTest, WhoOnlyLooksIsToldAttributesToo) {
  Mount mount;
  listed(mount, 10);
  for (int number = 0; number < 4; ++number) {
    ASSERT_OK(remove(mount, kRoot, name_of(number)));
  }
  mount.requests();
  ASSERT_OK(mount.lookup(name_of(4)));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject " + name_of(4)));
}

TEST_F(RemovedNamesTest, InAStickyDirectoryTheOwnerMustBeKnown) {
  Mount mount;
  mount.memory.put_text("sticky/", "", {.user_metadata = {{"file-permissions", "0041777"}}});
  mount.memory.put_text("sticky/a", "x", {.user_metadata = {{"file-owner", "77"}}});
  const InodeId sticky = mount.id("sticky");
  ASSERT_OK(mount.fs().getattr(sticky, mount.caller()));
  ASSERT_OK(mount.names(sticky));
  mount.window_ends();
  mount.window_ends();
  const auto entry = look_to_remove(mount, sticky, "a");
  ASSERT_OK(entry);
  EXPECT_EQ(entry->attributes.posix.uid, 77u);
}

TEST_F(RemovedNamesTest, OfAnOpenFileTheReaderGoesOnAndTheNameIsThatOfTheNewerVersion) {
  Mount mount;
  listed(mount, 5);
  const auto handle = mount.open(name_of(4), O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_EQ(*mount.read(*handle), "theirs");
  mount.window_ends();
  mount.memory.put_text(name_of(4), "newer");
  for (int number = 0; number < 5; ++number) {
    ASSERT_OK(remove(mount, kRoot, name_of(number)));
  }
  EXPECT_EQ(*mount.read(*handle), "theirs");
  EXPECT_EQ(mount.memory.text(name_of(4)), std::nullopt);
  EXPECT_OK(mount.close(*handle));
}

}  // namespace
}  // namespace prefixfs::vfs
