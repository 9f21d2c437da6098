// create, open, close: what is in S3 when close has returned.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OpenTest : public VfsTest {
 protected:
  Mount mount;
};

TEST_F(OpenTest, TheFirstOpenOfWhatWasListedBringsAttributesThatTheKernelDoesNotKnow) {
  mount.memory.put_text("a", "x", {.user_metadata = {{"file-permissions", "0100644"}, {"file-mtime", "1595002920s"}}});
  ASSERT_OK(mount.names(kRoot));
  for (const bool first : {true, false}) {
    const auto opened = mount.fs().open(mount.nodes().find(kRoot, "a").value()->id, O_RDONLY, mount.caller());
    ASSERT_OK(opened);
    EXPECT_EQ(opened->first_exact, first);
    mount.fs().release(opened->handle);
  }
}

TEST_F(OpenTest, WhatIsWrittenIsReadBackAndIsInS3) {
  ASSERT_OK(mount.create_file(kRoot, "a.txt", "hello"));
  EXPECT_EQ(mount.memory.text("a.txt"), "hello");
  EXPECT_EQ(mount.memory.info("a.txt")->content_type, "text/plain");
  EXPECT_EQ(mount.read_file("a.txt").value_or(""), "hello");
  EXPECT_EQ(mount.lookup("a.txt")->attributes.size, 5u);
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(OpenTest, EmptyFilesAreStored) {
  ASSERT_OK(mount.create_file(kRoot, "empty", ""));
  EXPECT_EQ(mount.memory.text("empty"), "");
  EXPECT_EQ(mount.read_file("empty").value_or("?"), "");
}

TEST_F(OpenTest, CreatingForReadingOnlyStoresAnEmptyFile) {
  const auto handle = mount.create(kRoot, "empty", O_RDONLY);
  ASSERT_OK(handle);
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("empty"), "");
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(OpenTest, NothingIsInS3BeforeTheFirstClose) {
  const auto handle = mount.create(kRoot, "a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "hello"));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_EQ(mount.read(*handle).value_or(""), "hello");
  EXPECT_EQ(mount.lookup("a")->attributes.size, 5u) << "this mount sees it";
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("a"));
  EXPECT_OK(mount.fs().fsync(*handle, mount.caller()));
  EXPECT_EQ(mount.memory.text("a"), "hello");
  ASSERT_OK(mount.write(*handle, 5, " world"));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "hello world");
}

TEST_F(OpenTest, FlushOfAnUnchangedFileAsksNothing) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  ASSERT_OK(mount.fs().flush(*handle, mount.caller()));
  mount.requests();
  EXPECT_OK(mount.fs().flush(*handle, mount.caller()));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.requests(), IsEmpty());
}

TEST_F(OpenTest, ExclusiveCreateOfAKnownNameIsRefused) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  EXPECT_ERRC(mount.create(kRoot, "a", O_WRONLY | O_EXCL), Errc::exists);
  mount.memory.put_text("d/f", "x");
  mount.window_ends();
  mount.id("d");
  EXPECT_ERRC(mount.create(kRoot, "d", O_WRONLY), Errc::is_dir);
}

TEST_F(OpenTest, ExclusiveCreateAgainstAnotherHostFailsAtCloseAndKeepsTheBytes) {
  const auto handle = mount.create(kRoot, "a", O_WRONLY | O_EXCL);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "mine"));
  mount.memory.put_text("a", "theirs");
  EXPECT_ERRC(mount.fs().flush(*handle, mount.caller()), Errc::stale);
  EXPECT_ERRC(mount.fs().fsync(*handle, mount.caller()), Errc::stale) << "and so is everything after";
  mount.fs().release(*handle);
  EXPECT_EQ(mount.memory.text("a"), "theirs");
  EXPECT_THAT(mount.kept(), ElementsAre("mine"));
  EXPECT_EQ(mount.read_file("a").value_or(""), "theirs") << "at once, without waiting for the window";
}

TEST_F(OpenTest, CreateWithoutExclusiveIsLastWriterWins) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "mine"));
  mount.memory.put_text("a", "theirs");
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "mine");
}

TEST_F(OpenTest, ChangeOfAnObjectThatSomebodyElseChangedIsRefused) {
  mount.memory.put_text("a", "first version");
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  EXPECT_EQ(mount.read(*handle).value_or(""), "first version");
  ASSERT_OK(mount.write(*handle, 0, "FIRST"));
  mount.memory.put_text("a", "second version");
  EXPECT_ERRC(mount.close(*handle), Errc::stale);
  EXPECT_EQ(mount.memory.text("a"), "second version");
  EXPECT_THAT(mount.kept(), ElementsAre("FIRST version"));
  EXPECT_EQ(mount.read_file("a").value_or(""), "second version") << "at once, without waiting for the window";
}

TEST_F(OpenTest, ChangeOfAnObjectThatSomebodyElseDeletedIsRefused) {
  mount.memory.put_text("a", "first version");
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "FIRST"));
  mount.memory.erase("a");
  EXPECT_ERRC(mount.close(*handle), Errc::stale);
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_EQ(mount.kept().size(), 1u);
}

TEST_F(OpenTest, TruncatingOpenIsLastWriterWins) {
  mount.memory.put_text("a", "a long first version");
  const auto handle = mount.open("a", O_WRONLY | O_TRUNC);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "mine"));
  mount.memory.put_text("a", "theirs");
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "mine");
  EXPECT_EQ(mount.read_file("a").value_or(""), "mine");
}

TEST_F(OpenTest, TruncatingOpenWithoutAWriteEmptiesTheObject) {
  mount.memory.put_text("a", "a long first version");
  const auto handle = mount.open("a", O_WRONLY | O_TRUNC);
  ASSERT_OK(handle);
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "");
}

TEST_F(OpenTest, FailedPutAtCloseLeavesTheObjectOldAndTheBytesKept) {
  mount.memory.put_text("a", "old");
  const auto handle = mount.open("a", O_WRONLY | O_TRUNC);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "new"));
  mount.store.add({.operation = "PutObject", .count = -1});
  EXPECT_ERRC(mount.fs().flush(*handle, mount.caller()), Errc::unavailable);
  EXPECT_THAT(mount.kept(), IsEmpty()) << "it may still be stored";
  mount.fs().release(*handle);
  EXPECT_EQ(mount.memory.text("a"), "old");
  EXPECT_THAT(mount.kept(), ElementsAre("new"));
  EXPECT_EQ(mount.read_file("a").value_or(""), "old");
}

TEST_F(OpenTest, FailedPutIsTriedAgainByTheNextFsync) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "new"));
  mount.store.add({.operation = "PutObject", .count = 1});
  EXPECT_ERRC(mount.fs().fsync(*handle, mount.caller()), Errc::unavailable);
  EXPECT_OK(mount.fs().fsync(*handle, mount.caller()));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(OpenTest, NewFileThatNeverReachedS3IsGoneAfterTheLastClose) {
  mount.store.add({.operation = "PutObject", .count = 1});
  EXPECT_ERRC(mount.create_file(kRoot, "a", "x"), Errc::unavailable);
  EXPECT_THAT(mount.kept(), ElementsAre("x"));
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
  ASSERT_OK(mount.create_file(kRoot, "a", "again"));
  EXPECT_EQ(mount.memory.text("a"), "again");
}

TEST_F(OpenTest, WhatIsGoneIsLookedUpAgain) {
  mount.memory.put_text("a", "old");
  const InodeId id = mount.id("a");
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "NEW"));
  ASSERT_OK(mount.memory.remove(Key("a"), ETag(), {}));
  EXPECT_ERRC(mount.close(*handle), Errc::stale);
  EXPECT_ERRC(mount.fs().open(id, O_RDWR, mount.caller()), Errc::stale) << "with ENOENT open(O_CREAT) would fail";
}

TEST_F(OpenTest, CreateThatCannotBeStagedLeavesNoName) {
  mount.lose_stage();
  EXPECT_FALSE(mount.create(kRoot, "a"));
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(OpenTest, MaxFileSizeLeavesNothing) {
  MountSettings given;
  given.settings.max_file_bytes = 10;
  Mount small(given);
  const auto handle = small.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(small.write(*handle, 0, "0123456789"));
  EXPECT_ERRC(small.write(*handle, 10, "x"), Errc::too_large);
  EXPECT_ERRC(small.write(*handle, 0, "x"), Errc::too_large) << "the file's story is over";
  EXPECT_ERRC(small.fs().flush(*handle, small.caller()), Errc::too_large);
  small.fs().release(*handle);
  EXPECT_THAT(small.memory.keys(), IsEmpty());
  EXPECT_THAT(small.kept(), IsEmpty());
  EXPECT_ERRC(small.lookup("a"), Errc::not_found);
  EXPECT_EQ(small.staged_files(), 0u);
}

TEST_F(OpenTest, MaxFileSizeOfATruncation) {
  MountSettings given;
  given.settings.max_file_bytes = 10;
  Mount small(given);
  small.memory.put_text("a", "12345");
  EXPECT_ERRC(small.fs().setattr(small.id("a"), std::nullopt, {.size = 11}, small.caller()), Errc::too_large);
  EXPECT_EQ(small.memory.text("a"), "12345");
}

TEST_F(OpenTest, TwoWritersOfOneMountShareTheFile) {
  const auto first = mount.create(kRoot, "a", O_RDWR);
  ASSERT_OK(first);
  const auto second = mount.open("a", O_RDWR);
  ASSERT_OK(second);
  ASSERT_OK(mount.write(*first, 0, "12"));
  ASSERT_OK(mount.write(*second, 2, "34"));
  EXPECT_EQ(mount.read(*first).value_or(""), "1234");
  EXPECT_OK(mount.close(*first));
  EXPECT_EQ(mount.memory.text("a"), "1234");
  ASSERT_OK(mount.write(*second, 4, "56"));
  EXPECT_OK(mount.close(*second));
  EXPECT_EQ(mount.memory.text("a"), "123456");
}

TEST_F(OpenTest, ReadersCloseDoesNotStoreWhatAWriterIsStillWriting) {
  const auto writer = mount.create(kRoot, "a");
  ASSERT_OK(writer);
  ASSERT_OK(mount.write(*writer, 0, "half"));
  EXPECT_EQ(mount.read_file("a").value_or(""), "half");
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_OK(mount.close(*writer));
}

TEST_F(OpenTest, NamesThatCannotBeKeysAreRefused) {
  EXPECT_ERRC(mount.create(kRoot, "\xff\xfe"), Errc::bad_name);
  EXPECT_ERRC(mount.create(kRoot, std::string(256, 'a')), Errc::name_too_long);
  EXPECT_ERRC(mount.lookup("\xff\xfe"), Errc::not_found);
  EXPECT_ERRC(mount.lookup(std::string(256, 'a')), Errc::name_too_long);
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(OpenTest, KeysLongerThanS3AllowsAreRefused) {
  InodeId directory = kRoot;
  for (int depth = 0; depth < 4; ++depth) {
    const auto made = mount.fs().mkdir(directory, std::string(250, 'd'), 0755, mount.caller());
    ASSERT_OK(made);
    directory = made->attributes.id;
  }
  EXPECT_ERRC(mount.create(directory, std::string(30, 'f')), Errc::name_too_long);
  EXPECT_ERRC(mount.fs().mkdir(directory, std::string(30, 'f'), 0755, mount.caller()), Errc::name_too_long);
  EXPECT_OK(mount.create_file(directory, std::string(20, 'f'), "x"));
  EXPECT_ERRC(mount.fs().rename(directory, std::string(20, 'f'), directory, std::string(30, 'f'), 0, mount.caller()), Errc::name_too_long);
}

TEST_F(OpenTest, ReadOnlyMountChangesNothing) {
  MountSettings given;
  given.settings.read_only = true;
  Mount fixed(given);
  fixed.memory.put_text("a", "x");
  EXPECT_EQ(fixed.read_file("a").value_or(""), "x");
  const InodeId a = fixed.id("a");
  EXPECT_ERRC(fixed.create(kRoot, "b"), Errc::read_only);
  EXPECT_ERRC(fixed.open("a", O_WRONLY), Errc::read_only);
  EXPECT_ERRC(fixed.open("a", O_RDONLY | O_TRUNC), Errc::read_only);
  EXPECT_ERRC(fixed.fs().unlink(kRoot, "a", fixed.caller()), Errc::read_only);
  EXPECT_ERRC(fixed.fs().mkdir(kRoot, "d", 0755, fixed.caller()), Errc::read_only);
  EXPECT_ERRC(fixed.fs().rmdir(kRoot, "d", fixed.caller()), Errc::read_only);
  EXPECT_ERRC(fixed.fs().rename(kRoot, "a", kRoot, "b", 0, fixed.caller()), Errc::read_only);
  EXPECT_ERRC(fixed.fs().setattr(a, std::nullopt, {.mode = 0600}, fixed.caller()), Errc::read_only);
  EXPECT_THAT(fixed.memory.keys(), ElementsAre("a"));
}

TEST_F(OpenTest, UnknownHandlesAreErrors) {
  EXPECT_ERRC(mount.read(99), Errc::internal);
  EXPECT_ERRC(mount.write(99, 0, "x"), Errc::internal);
  EXPECT_ERRC(mount.fs().flush(99, mount.caller()), Errc::internal);
  EXPECT_ERRC(mount.fs().fsync(99, mount.caller()), Errc::internal);
  mount.fs().release(99);
  mount.fs().releasedir(99);
}

TEST_F(OpenTest, ArchivedObjectIsToldAtOpen) {
  mount.memory.put_text("a", "x");
  ASSERT_OK(mount.names(kRoot));
  mount.memory.archive("a");
  EXPECT_ERRC(mount.open("a", O_RDONLY), Errc::unsupported);
  EXPECT_OK(mount.lookup("a"));
}

TEST_F(OpenTest, FlushAllStoresWhatIsOpen) {
  const auto first = mount.create(kRoot, "a");
  const auto second = mount.create(kRoot, "b");
  ASSERT_OK(first);
  ASSERT_OK(second);
  ASSERT_OK(mount.write(*first, 0, "1"));
  ASSERT_OK(mount.write(*second, 0, "2"));
  mount.store.add({.operation = "PutObject", .key = "b", .count = -1});
  mount.fs().flush_all({});
  EXPECT_EQ(mount.memory.text("a"), "1");
  EXPECT_THAT(mount.kept(), ElementsAre("2"));
}

TEST_F(OpenTest, FileThatAKilledProcessWasWritingIsNoFileAfterTheRestart) {
  const auto handle = mount.create(kRoot, "never-stored");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  mount.clock.advance(1ms);
  mount.restart();
  EXPECT_THAT(*mount.names(kRoot), IsEmpty());
  mount.clock.advance(1ms);
  EXPECT_ERRC(mount.lookup("never-stored"), Errc::not_found);
  EXPECT_OK(mount.create_file(kRoot, "never-stored", "y"));
  EXPECT_EQ(mount.memory.text("never-stored"), "y");
}

TEST_F(OpenTest, InodesSurviveARestart) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  const InodeId before = mount.id("a");
  mount.restart();
  mount.window_ends();
  EXPECT_EQ(mount.id("a"), before);
}

class CloseByProcessesTest : public VfsTest {
 protected:
  Caller process(pid_t id) {
    Caller caller = mount.caller();
    caller.thread = id;
    return caller;
  }
  /// Created and half written by process 1, which has it open.
  void SetUp() override {
    const auto created = mount.fs().create(kRoot, "f", 0644, O_WRONLY | O_CREAT, process(1));
    ASSERT_OK(created);
    handle = created->opened.handle;
    inode = created->entry.attributes.id;
    ASSERT_OK(mount.fs().write(handle, 0, bytes_of("half"), process(1)));
    mount.processes.descriptors.insert({1, inode});
  }
  Mount mount;
  HandleId handle = 0;
  InodeId inode = 0;
};

TEST_F(CloseByProcessesTest, AForkedChildDoesNotPublishHalfAFile) {
  EXPECT_OK(mount.fs().flush(handle, process(2)));
  EXPECT_FALSE(mount.memory.text("f"));
  ASSERT_OK(mount.fs().write(handle, 4, bytes_of(" and half"), process(1)));
  EXPECT_OK(mount.fs().flush(handle, process(1)));
  EXPECT_EQ(mount.memory.text("f"), "half and half");
}

TEST_F(CloseByProcessesTest, AttributesThatComeAfterTheCloseAreStoredWhenTheirCallReturns) {
  const auto mode = [&] {
    const auto metadata = mount.memory.info("f")->user_metadata;
    const auto found = metadata.find("file-permissions");
    return found == metadata.end() ? "none" : found->second;
  };
  ASSERT_OK(mount.fs().fsync(handle, process(1)));
  ASSERT_OK(mount.fs().setattr(inode, {}, {.mode = 0600}, process(2)));
  EXPECT_EQ(mode(), "none") << "process 1 will close it";
  EXPECT_OK(mount.fs().flush(handle, process(1)));
  EXPECT_EQ(mode(), "0100600");
  mount.processes.descriptors.clear();
  ASSERT_OK(mount.fs().setattr(inode, {}, {.mode = 0640}, process(2)));
  EXPECT_EQ(mode(), "0100640") << "the kernel has not told yet that the handle is gone";
  mount.store.add({.operation = "CopyObject", .error = {Errc::denied, "AccessDenied", {}}});
  EXPECT_ERRC(mount.fs().setattr(inode, {}, {.mode = 0644}, process(2)), Errc::denied);
}

TEST_F(CloseByProcessesTest, AChildThatWritesStores) {
  ASSERT_OK(mount.fs().write(handle, 4, bytes_of("+child"), process(2)));
  EXPECT_OK(mount.fs().flush(handle, process(2)));
  EXPECT_EQ(mount.memory.text("f"), "half+child");
}

TEST_F(CloseByProcessesTest, AChildThatIsLeftAloneStores) {
  mount.processes.descriptors.clear();  // process 1 was killed
  EXPECT_OK(mount.fs().flush(handle, process(2)));
  EXPECT_EQ(mount.memory.text("f"), "half");
}

TEST_F(CloseByProcessesTest, TheLastReleaseStoresWhatNoCloseHas) {
  EXPECT_OK(mount.fs().flush(handle, process(2)));
  mount.fs().release(handle);
  EXPECT_EQ(mount.memory.text("f"), "half");
}

}  // namespace
}  // namespace prefixfs::vfs
