// What is behind a name: freshness, other clients, missing rights.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResolverTest : public VfsTest {
 protected:
  Mount mount;
};

TEST_F(ResolverTest, ChangesOfOthersAreSeenAfterTheWindow) {
  mount.memory.put_text("a", "1");
  EXPECT_EQ(mount.lookup("a")->attributes.size, 1u);
  mount.memory.put_text("a", "12");
  EXPECT_EQ(mount.lookup("a")->attributes.size, 1u);
  mount.clock.advance(999ms);
  EXPECT_EQ(mount.lookup("a")->attributes.size, 1u);
  mount.clock.advance(2ms);
  EXPECT_EQ(mount.lookup("a")->attributes.size, 2u);
}

TEST_F(ResolverTest, EntriesAreValidForTheRestOfTheWindow) {
  mount.memory.put_text("a", "1");
  EXPECT_EQ(mount.lookup("a")->valid_for, 1s);
  mount.clock.advance(300ms);
  EXPECT_EQ(mount.lookup("a")->valid_for, 700ms);
}

TEST_F(ResolverTest, OpenFilesAreConfirmedLikeOthers) {
  mount.memory.put_text("a", "1");
  const auto handle = mount.open("a", O_RDONLY);
  ASSERT_OK(handle);
  mount.window_ends();
  EXPECT_EQ(mount.lookup("a")->valid_for, 1s) << "S3 has just confirmed it";
  EXPECT_OK(mount.close(*handle));
}

TEST_F(ResolverTest, ClockThatWasSetBackDoesNotMakeOldKnowledgeFresh) {
  mount.memory.put_text("a", "1");
  mount.id("a");
  mount.clock.set_now(mount.clock.now() - 1h);
  mount.memory.put_text("a", "12");
  EXPECT_EQ(mount.lookup("a")->attributes.size, 2u);
}

TEST_F(ResolverTest, FreshnessOfZeroAsksEveryTime) {
  MountSettings given;
  given.settings.freshness = 0ns;
  Mount eager(given);
  eager.memory.put_text("a", "1");
  EXPECT_EQ(eager.lookup("a")->attributes.size, 1u);
  eager.memory.put_text("a", "12");
  EXPECT_EQ(eager.lookup("a")->attributes.size, 2u);
}

TEST_F(ResolverTest, FilesDeletedByOthersAreAbsentAfterTheWindow) {
  mount.memory.put_text("a", "1");
  EXPECT_EQ(mount.read_file("a").value_or(""), "1");
  const InodeId inode = mount.id("a");
  mount.memory.erase("a");
  EXPECT_OK(mount.lookup("a"));
  mount.window_ends();
  EXPECT_ERRC(mount.fs().getattr(inode, mount.caller()), Errc::stale);  // the kernel looks the name up again
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(ResolverTest, FileBecomesADirectoryAndBack) {
  mount.memory.put_text("a", "1");
  const InodeId file = mount.id("a");
  mount.memory.erase("a");
  mount.memory.put_text("a/b", "1");
  mount.window_ends();
  const auto directory = mount.lookup("a");
  ASSERT_OK(directory);
  EXPECT_EQ(directory->attributes.kind, NodeKind::directory);
  EXPECT_NE(directory->attributes.id, file);
  mount.memory.erase("a/b");
  mount.memory.put_text("a", "22");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("a")->attributes.kind, NodeKind::file);
  EXPECT_EQ(mount.read_file("a").value_or(""), "22");
}

TEST_F(ResolverTest, NamesCreatedByOthersAreSeenAfterTheWindow) {
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  mount.memory.put_text("a", "1");
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  mount.window_ends();
  EXPECT_OK(mount.lookup("a"));
}

TEST_F(ResolverTest, OpenIsNotContentWithAListingOlderThanTheWindow) {
  // The names of a large directory are shown for seconds after it was read; the bytes of a file are another matter.
  for (int i = 0; i < 30'000; ++i) {
    mount.memory.put_text(fmt::format("d/{:05}", i), "old");
  }
  const InodeId directory = mount.id("d");
  EXPECT_EQ(mount.read_file("d/00000").value_or(""), "old");
  mount.window_ends();
  ASSERT_OK(mount.names(directory, 1000));
  mount.memory.put_text("d/00000", "new!");
  mount.window_ends();
  mount.requests();
  const auto told = mount.lookup("d/00000");
  EXPECT_EQ(told->attributes.size, 3u);
  EXPECT_EQ(told->valid_for, 100ms) << "the kernel need not ask for each call what is believed here for seconds";
  EXPECT_EQ(mount.lookup("d")->valid_for, 100ms);
  EXPECT_THAT(mount.requests(), IsEmpty());
  EXPECT_ERRC(mount.open_once("d/00000", O_RDONLY), Errc::stale) << "the kernel has another size, and looks again";
  EXPECT_EQ(mount.read_file("d/00000").value_or(""), "new!");
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject d/00000"));
}

TEST_F(ResolverTest, DirectoriesOfPrefixesAreReal) {
  mount.memory.put_text("a/b/c/d.txt", "1");
  EXPECT_EQ(mount.read_file("a/b/c/d.txt").value_or(""), "1");
  mount.memory.put_text("name-1", "x");
  mount.memory.put_text("name/x", "x");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("name")->attributes.kind, NodeKind::directory);
  EXPECT_ERRC(mount.lookup("nam"), Errc::not_found);
}

TEST_F(ResolverTest, DirectoryBehindManyNamesOfTheSameBeginning) {
  for (int i = 0; i < 4500; ++i) {
    mount.memory.put_text(fmt::format("name-{:04}", i), "x");  // '-' sorts before '/'
  }
  mount.memory.put_text("name/x", "x");
  EXPECT_EQ(mount.names(kRoot)->size(), 4501u);
  mount.memory.put_text("nam/x", "x");
  mount.memory.put_text("name-0000x/y", "x");
  mount.window_ends();
  EXPECT_EQ(mount.lookup("nam")->attributes.kind, NodeKind::directory);
  mount.restart();
  EXPECT_EQ(mount.lookup("name")->attributes.kind, NodeKind::directory);
}

TEST_F(ResolverTest, OtherMetadataOfTheSameBytesIsSeenThoughTheETagStays) {
  mount.memory.put_text("theirs", "x");
  ASSERT_OK(mount.read_file("theirs"));
  ASSERT_OK(mount.create_file(kRoot, "mine", "y"));
  for (const char* name : {"theirs", "mine"}) {
    mount.clock.advance(5s);
    mount.memory.put_text(name, name == std::string_view("mine") ? "y" : "x", {.user_metadata = {{"file-permissions", "0100600"}}});
    const auto entry = mount.lookup(name);
    ASSERT_OK(entry);
    EXPECT_EQ(entry->attributes.posix.mode, 0600u) << name;
    mount.window_ends();
    mount.requests();
    ASSERT_OK(mount.lookup(name));
    EXPECT_EQ(mount.requests().size(), 1u) << "what has been seen is not fetched again";
  }
}

TEST_F(ResolverTest, ErrorsAreNotAbsence) {
  mount.store.add({.operation = "", .count = -1, .error = {Errc::timeout, "slow", {}}});
  EXPECT_ERRC(mount.lookup("a"), Errc::timeout);
  mount.store.clear_faults();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(ResolverTest, BucketThatIsNotThereIsAnErrorOfTheMount) {
  mount.store.add({.operation = "", .count = -1, .error = {Errc::not_found, "no bucket", {.s3_code = "NoSuchBucket"}}});
  EXPECT_ERRC(mount.fs().probe({}), Errc::not_found);
}

TEST_F(ResolverTest, ProbeLearnsTheRightToList) {
  EXPECT_OK(mount.fs().probe({}));
  mount.memory.set_rights({.list = false});
  EXPECT_OK(mount.fs().probe({}));
  mount.store.add({.operation = "ListObjectsV2", .count = 1, .error = {Errc::credentials, "expired", {}}});
  EXPECT_ERRC(mount.fs().probe({}), Errc::credentials);
}

TEST_F(ResolverTest, AnswerThatWasOvertakenByAnOwnWriteIsNotBelieved) {
  mount.memory.put_text("a", "old");
  EXPECT_EQ(mount.read_file("a").value_or(""), "old");
  mount.window_ends();
  // While a lookup waits for S3, a program of this mount writes the file.
  bool once = true;
  const InodeId inode = mount.nodes().find(kRoot, "a").value()->id;
  mount.store.before_each([&](const auto& call) {
    if (call.operation == "GetObject" && once) {
      once = false;
      mount.clock.advance(1ms);
      const auto opened = mount.fs().open(inode, O_WRONLY | O_TRUNC, mount.caller());
      ASSERT_OK(opened);
      ASSERT_OK(mount.write(opened->handle, 0, "new one"));
      ASSERT_OK(mount.close(opened->handle));
    }
  });
  EXPECT_OK(mount.lookup("a"));
  mount.store.before_each({});
  EXPECT_EQ(mount.lookup("a")->attributes.size, 7u);
  EXPECT_EQ(mount.read_file("a").value_or(""), "new one");
}

class NoListTest : public VfsTest {
 protected:
  static MountSettings settings(bool known) {
    MountSettings given;
    given.settings.list_known_names = known;
    return given;
  }
  explicit NoListTest(bool known = false) : mount(settings(known)) { mount.memory.set_rights({.list = false}); }
  Mount mount;
};

TEST_F(NoListTest, FilesAreReadAndWrittenByName) {
  mount.memory.put_text("a", "1");
  EXPECT_EQ(mount.read_file("a").value_or(""), "1");
  EXPECT_ERRC(mount.lookup("b"), Errc::not_found);
  ASSERT_OK(mount.create_file(kRoot, "b", "2"));
  EXPECT_EQ(mount.read_file("b").value_or(""), "2");
  mount.window_ends();
  EXPECT_EQ(mount.read_file("b").value_or(""), "2");
  ASSERT_OK(mount.fs().rename(kRoot, "b", kRoot, "c", 0, mount.caller()));
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("c"));
}

TEST_F(NoListTest, NewFileWithAnExtensionCostsOneRequestMore) {
  EXPECT_ERRC(mount.lookup("learn"), Errc::not_found);
  mount.requests();
  EXPECT_ERRC(mount.lookup("a.pdf"), Errc::not_found);
  ASSERT_OK(mount.create_file(kRoot, "a.pdf", "x"));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject a.pdf", "PutObject a.pdf"));
  EXPECT_ERRC(mount.lookup("directory?"), Errc::not_found);
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject directory?", "HeadObject directory?/"));
}

TEST_F(NoListTest, DirectoriesWithAMarkerAreFound) {
  mount.memory.put_text("d/", "");
  EXPECT_EQ(mount.lookup("d")->attributes.kind, NodeKind::directory);
  mount.window_ends();
  EXPECT_OK(mount.lookup("d"));
  ASSERT_OK(mount.fs().mkdir(kRoot, "e", 0755, mount.caller()));
  ASSERT_OK(mount.create_file(mount.id("e"), "f", "x"));
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "e", mount.caller()), Errc::not_empty);
  ASSERT_OK(mount.fs().unlink(mount.id("e"), "f", mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "e", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("d/"));
}

TEST_F(NoListTest, LsSaysThatTheRightIsMissing) {
  mount.memory.put_text("a", "1");
  mount.id("a");
  EXPECT_ERRC(mount.names(kRoot), Errc::denied);
}

TEST_F(NoListTest, FileDeletedByOthersIsAbsent) {
  mount.memory.put_text("a", "1");
  mount.id("a");
  mount.memory.erase("a");
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

class KnownNamesTest : public NoListTest {
 protected:
  KnownNamesTest() : NoListTest(true) {}
};

TEST_F(ResolverTest, WhatAKilledProcessWasWritingIsGoneAlsoWhileS3DoesNotAnswer) {
  ASSERT_OK(mount.create(kRoot, "a"));
  mount.clock.advance(1ms);
  mount.restart();
  for (const char* operation : {"GetObject", "HeadObject", "ListObjectsV2"}) {
    mount.store.add({.operation = operation, .count = -1});
  }
  EXPECT_FALSE(mount.lookup("a"));
}

TEST_F(KnownNamesTest, LsShowsTheNamesThatThisHostKnows) {
  mount.memory.put_text("theirs", "1");
  mount.memory.put_text("unknown", "1");
  mount.id("theirs");
  ASSERT_OK(mount.create_file(kRoot, "mine", "2"));
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("mine", "theirs"));
  mount.restart();
  mount.window_ends();
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("mine", "theirs"));
  EXPECT_EQ(mount.read_file("mine").value_or(""), "2");
}

}  // namespace
}  // namespace prefixfs::vfs
