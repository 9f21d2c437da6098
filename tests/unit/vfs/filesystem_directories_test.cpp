// readdir: every name once, whatever happens meanwhile.

#include <set>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DirectoriesTest : public VfsTest {
 protected:
  Mount mount;
};

TEST_F(DirectoriesTest, DotsThenNamesInOrder) {
  mount.memory.put_text("b", "x");
  mount.memory.put_text("a/x", "x");
  mount.memory.put_text("c.txt", "12345");
  const auto handle = mount.fs().opendir(kRoot, mount.caller());
  ASSERT_OK(handle);
  std::vector<std::string> lines;
  ASSERT_OK(mount.fs().readdir(*handle, 0, [&](const DirectoryEntry& entry) {
    const auto& attributes = entry.entry.attributes;
    lines.push_back(fmt::format("{} {} {}", entry.name, attributes.kind == NodeKind::directory ? "d" : "f", attributes.size));
    return true;
  }, mount.caller()));
  EXPECT_THAT(lines, ElementsAre(". d 4096", ".. d 4096", "a d 4096", "b f 1", "c.txt f 5"));
  mount.fs().releasedir(*handle);
  EXPECT_ERRC(mount.fs().readdir(*handle, 0, [](const auto&) { return true; }, mount.caller()), Errc::internal);
}

TEST_F(DirectoriesTest, EveryBatchSizeGivesEveryNameOnce) {
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(fmt::format("{:02}", i));
    mount.memory.put_text(expected.back(), "x");
  }
  for (std::size_t batch = 1; batch < 25; ++batch) {
    EXPECT_EQ(*mount.names(kRoot, batch), expected) << batch;
  }
}

TEST_F(DirectoriesTest, ThreeThousandNamesOnce) {
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(fmt::format("f{:04}", i));
    mount.memory.put_text("d/" + expected.back(), "x");
  }
  EXPECT_TRUE(*mount.names(mount.id("d"), 77) == expected);
}

TEST_F(DirectoriesTest, WhatWasOnlyListedIsEnteredByItsOwnMode) {
  s3::ObjectHeaders secret;
  secret.user_metadata = {{"file-permissions", "0040700"}};
  for (const char* name : {"opened", "entered"}) {
    mount.memory.put_text(fmt::format("{}/", name), "", secret);
    mount.memory.put_text(fmt::format("{}/file", name), "x");
  }
  mount.memory.put_text("implied/file", "x");
  ASSERT_OK(mount.names(kRoot));
  const auto known = [&](std::string_view name) { return mount.nodes().find(kRoot, name)->value().id; };
  mount.requests();
  EXPECT_ERRC(mount.fs().opendir(known("opened"), mount.caller()), Errc::stale);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 opened/", "HeadObject opened/"));
  EXPECT_EQ(mount.fs().getattr(known("opened"), mount.caller())->attributes.posix.mode, 0700u);
  EXPECT_ERRC(mount.fs().lookup(known("entered"), "file", mount.caller()), Errc::stale);
  EXPECT_OK(mount.fs().lookup(known("entered"), "file", mount.caller()));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 entered/", "HeadObject entered/", "GetObject entered/file"));
  EXPECT_EQ(mount.names(known("opened"))->size(), 1u);
  EXPECT_EQ(mount.names(known("implied"))->size(), 1u);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 implied/")) << "one page is all that was needed, and there is no marker to ask for";
}

TEST_F(DirectoriesTest, ProgramMayUnlinkWhatItHasReadAndGoOn) {
  for (int i = 0; i < 3000; ++i) {
    mount.memory.put_text(fmt::format("d/f{:04}", i), "x");
  }
  const InodeId directory = mount.id("d");
  const auto handle = mount.fs().opendir(directory, mount.caller());
  ASSERT_OK(handle);
  std::uint64_t position = 0;
  std::size_t given = 0;
  for (bool more = true; more;) {
    std::vector<std::string> batch;
    ASSERT_OK(mount.fs().readdir(*handle, position, [&](const DirectoryEntry& entry) {
      if (batch.size() == 100) {
        return false;
      }
      position = entry.position;
      batch.push_back(entry.name);
      return true;
    }, mount.caller()));
    more = !batch.empty();
    for (const std::string& name : batch) {
      if (name != "." && name != "..") {
        ++given;
        ASSERT_OK(mount.fs().unlink(directory, name, mount.caller()));
      }
    }
  }
  mount.fs().releasedir(*handle);
  EXPECT_EQ(given, 3000u);
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
}

TEST_F(DirectoriesTest, RewindListsAgainAfterTheWindow) {
  const auto handle = mount.fs().opendir(kRoot, mount.caller());
  ASSERT_OK(handle);
  const auto names = [&] {
    std::vector<std::string> all;
    EXPECT_OK(mount.fs().readdir(*handle, 0, [&](const DirectoryEntry& entry) {
      all.push_back(entry.name);
      return true;
    }, mount.caller()));
    return all;
  };
  EXPECT_THAT(names(), ElementsAre(".", ".."));
  mount.memory.put_text("a", "x");
  EXPECT_THAT(names(), ElementsAre(".", "..")) << "within the window";
  mount.window_ends();
  EXPECT_THAT(names(), ElementsAre(".", "..", "a"));
  mount.fs().releasedir(*handle);
}

TEST_F(DirectoriesTest, NamesDeletedByOthersGo) {
  mount.memory.put_text("a", "x");
  mount.memory.put_text("d/x", "x");
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("a", "d"));
  mount.memory.erase("a");
  mount.memory.erase("d/x");
  mount.window_ends();
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
}

TEST_F(DirectoriesTest, ADirectoryHasTheNameAndTheFileAnotherOne) {
  mount.memory.put_text("a", "x");
  mount.memory.put_text("a/b", "y");
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("a", "@s3-object-a"));
  EXPECT_EQ(mount.lookup("a")->attributes.kind, NodeKind::directory);
  EXPECT_EQ(mount.read_file("a/b").value_or(""), "y");
}

TEST_F(DirectoriesTest, ListErrorIsTold) {
  mount.store.add({.operation = "ListObjectsV2", .count = 1});
  EXPECT_ERRC(mount.names(kRoot), Errc::unavailable);
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
}

TEST_F(DirectoriesTest, ListErrorInTheMiddleLosesNothing) {
  for (int i = 0; i < 2500; ++i) {
    mount.memory.put_text(fmt::format("{:04}", i), "x");
  }
  EXPECT_EQ(mount.names(kRoot)->size(), 2500u);
  mount.window_ends();
  mount.store.add({.operation = "ListObjectsV2", .skip = 1, .count = 1});
  EXPECT_EQ(mount.names(kRoot)->size(), 2500u) << "while S3 does not answer, what it said last is shown";
  EXPECT_EQ(mount.names(kRoot)->size(), 2500u);
  mount.window_ends();
  mount.store.add({.operation = "ListObjectsV2", .skip = 1, .count = 1, .error = {Errc::throttled, "SlowDown", {}}});
  EXPECT_ERRC(mount.names(kRoot), Errc::throttled);
  EXPECT_EQ(mount.names(kRoot)->size(), 2500u);
}

TEST_F(DirectoriesTest, OpendirOfAFileIsRefused) {
  mount.memory.put_text("a", "x");
  EXPECT_ERRC(mount.fs().opendir(mount.id("a"), mount.caller()), Errc::not_dir);
  EXPECT_ERRC(mount.fs().opendir(9999, mount.caller()), Errc::stale);
}

TEST_F(DirectoriesTest, AFileThatIsClosedWhileItsDirectoryIsReadHasItsNewSize) {
  // The kernel cuts the pages of a file to the size that a listing tells.
  mount.memory.put_text("a", "x");
  mount.memory.put_text("b", "old");
  ASSERT_OK(mount.names(kRoot));
  const auto writer = mount.open("b", O_WRONLY | O_TRUNC);
  ASSERT_OK(writer);
  ASSERT_OK(mount.write(*writer, 0, "much longer"));
  const auto handle = mount.fs().opendir(kRoot, mount.caller());
  ASSERT_OK(handle);
  std::uint64_t size = 0;
  const auto listed = mount.fs().readdir(*handle, 0, [&](const DirectoryEntry& entry) {
    if (entry.name == "a") {
      EXPECT_OK(mount.close(*writer));
    }
    size = entry.name == "b" ? entry.entry.attributes.size : size;
    return true;
  }, mount.caller());
  ASSERT_OK(listed);
  EXPECT_EQ(size, 11u);
}

}  // namespace
}  // namespace prefixfs::vfs
