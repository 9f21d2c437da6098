// unlink, mkdir, rmdir, rename.

#include <linux/fs.h>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NamesTest : public VfsTest {
 protected:
  Result<void> rename(std::string_view from, std::string_view to, unsigned flags = 0) {
    return mount.fs().rename(kRoot, from, kRoot, to, flags, mount.caller());
  }
  Mount mount;
};

TEST_F(NamesTest, UnlinkedFileIsGone) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_ERRC(mount.fs().unlink(kRoot, "a", mount.caller()), Errc::not_found);
}

TEST_F(NamesTest, OpenUnlinkedFileLivesUntilItsLastClose) {
  const std::string text(300'000, 'x');
  mount.memory.put_text("a", text);
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_TRUE(mount.read(*handle).value_or("") == text);
  ASSERT_OK(mount.write(*handle, 0, "changed"));
  EXPECT_EQ(mount.read(*handle, 0, 7).value_or(""), "changed");
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(NamesTest, NewFileUnlinkedWhileItIsWrittenNeverReachesS3) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(NamesTest, UnlinkOfAFileThatAReaderHasInAVersionLongGone) {
  mount.memory.put_text("a", std::string(300'000, 'x'));
  const auto handle = mount.open("a", O_RDONLY);
  ASSERT_OK(handle);
  mount.memory.put_text("a", "other");
  EXPECT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_ERRC(mount.read(*handle), Errc::stale);
  EXPECT_OK(mount.close(*handle));
}

TEST_F(NamesTest, NewFileOfAnUnlinkedNameIsAnotherInode) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  const InodeId before = mount.id("a");
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  ASSERT_OK(mount.create_file(kRoot, "a", "y"));
  EXPECT_NE(mount.id("a"), before);
}

TEST_F(NamesTest, UnlinkOfADirectoryIsRefused) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  EXPECT_ERRC(mount.fs().unlink(kRoot, "d", mount.caller()), Errc::is_dir);
}

TEST_F(NamesTest, UnlinkThatIsDeniedLeavesTheFile) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  mount.memory.set_rights({.remove = false});
  EXPECT_ERRC(mount.fs().unlink(kRoot, "a", mount.caller()), Errc::denied);
  EXPECT_EQ(mount.read_file("a").value_or(""), "x");
}

TEST_F(NamesTest, DirectoriesHaveMarkersWithTheirAttributes) {
  const auto made = mount.fs().mkdir(kRoot, "d", 0700, mount.caller());
  ASSERT_OK(made);
  EXPECT_EQ(made->attributes.kind, NodeKind::directory);
  EXPECT_EQ(made->attributes.posix.mode, 0700u);
  EXPECT_EQ(made->attributes.posix.uid, 1000u);
  EXPECT_EQ(made->attributes.links, 2u);
  EXPECT_THAT(mount.memory.keys(), ElementsAre("d/"));
  EXPECT_ERRC(mount.fs().mkdir(kRoot, "d", 0700, mount.caller()), Errc::exists);
  mount.window_ends();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  Mount other;
  other.memory.put_text("d/", "", s3::headers_of(*mount.memory.info("d/")));
  EXPECT_EQ(other.lookup("d")->attributes.kind, NodeKind::directory);
}

TEST_F(NamesTest, RmdirOfAnythingButAnEmptyDirectoryIsRefused) {
  mount.memory.put_text("d/f", "x");
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
  mount.memory.put_text("f", "x");
  mount.window_ends();
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "f", mount.caller()), Errc::not_dir);
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "nothing", mount.caller()), Errc::not_found);
}

TEST_F(NamesTest, RmdirSeesFilesOfOthersAndFilesBeingWritten) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  mount.memory.put_text("d/theirs", "x");
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
  mount.memory.erase("d/theirs");
  const auto handle = mount.create(mount.id("d"), "mine");
  ASSERT_OK(handle);
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
  EXPECT_OK(mount.close(*handle));
  ASSERT_OK(mount.fs().unlink(mount.id("d"), "mine", mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  EXPECT_ERRC(mount.lookup("d"), Errc::not_found);
}

TEST_F(NamesTest, RmdirDoesNotSeeWhatAKilledProcessWasWriting) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  ASSERT_OK(mount.create(mount.id("d"), "f"));
  mount.clock.advance(1ms);
  mount.die();
  EXPECT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
  EXPECT_ERRC(mount.lookup("d"), Errc::not_found);
}

TEST_F(NamesTest, RmdirOfADirectoryWithAKeyThatCannotBeShown) {
  mount.memory.put_text("d//x", "x");
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
}

TEST_F(NamesTest, DirectoryStaysAfterItsLastFileIsUnlinked) {
  mount.memory.put_text("a/b/f", "x");
  const InodeId b = mount.id("a/b");
  ASSERT_OK(mount.fs().lookup(b, "f", mount.caller()));
  ASSERT_OK(mount.fs().unlink(b, "f", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    mount.window_ends();
    EXPECT_EQ(mount.id("a/b"), b);
    EXPECT_THAT(*mount.names(kRoot), ElementsAre("a"));
  }
  ASSERT_OK(mount.fs().rmdir(mount.id("a"), "b", mount.caller()));
  mount.window_ends();
  EXPECT_OK(mount.lookup("a")) << "a parent stays, too";
  EXPECT_THAT(*mount.names(mount.id("a")), IsEmpty());
  ASSERT_OK(mount.fs().rmdir(kRoot, "a", mount.caller()));
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
}

TEST_F(NamesTest, DirectoryOfAFileBeingWrittenStaysWhenOthersEmptyIt) {
  mount.memory.put_text("d/theirs", "x");
  const auto handle = mount.create(mount.id("d"), "mine");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  mount.memory.erase("d/theirs");
  mount.window_ends();
  EXPECT_OK(mount.lookup("d"));
  EXPECT_THAT(*mount.names(kRoot), ElementsAre("d"));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("d/mine"));
}

TEST_F(NamesTest, RenameMovesTheObject) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  const InodeId inode = mount.id("a");
  ASSERT_OK(rename("a", "b"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_EQ(mount.id("b"), inode);
  EXPECT_EQ(mount.read_file("b").value_or(""), "x");
  EXPECT_ERRC(rename("a", "c"), Errc::not_found);
  EXPECT_OK(rename("b", "b"));
  EXPECT_EQ(mount.memory.text("b"), "x");
}

TEST_F(NamesTest, RenameIntoAnotherDirectory) {
  ASSERT_OK(mount.create_file(kRoot, "a", "x"));
  const auto made = mount.fs().mkdir(kRoot, "d", 0755, mount.caller());
  ASSERT_OK(made);
  ASSERT_OK(mount.fs().rename(kRoot, "a", made->attributes.id, "b", 0, mount.caller()));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("d/", "d/b"));
  EXPECT_EQ(mount.read_file("d/b").value_or(""), "x");
}

TEST_F(NamesTest, RenameReplacesAFileThatOthersStillRead) {
  ASSERT_OK(mount.create_file(kRoot, "a", "new"));
  mount.memory.put_text("b", "old");
  mount.window_ends();
  const auto reader = mount.open("b", O_RDONLY);
  ASSERT_OK(reader);
  const InodeId inode = mount.id("a");
  ASSERT_OK(rename("a", "b"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(mount.memory.text("b"), "new");
  EXPECT_EQ(mount.id("b"), inode);
  EXPECT_EQ(mount.read_file("b").value_or(""), "new");
  EXPECT_EQ(mount.read(*reader).value_or(""), "old");
  EXPECT_OK(mount.close(*reader));
  EXPECT_EQ(mount.read_file("b").value_or(""), "new");
}

TEST_F(NamesTest, WhoHadComeToANameJustBeforeAnotherFileGotItSeesTheFormerFile) {
  mount.memory.put_text("a", "former");
  mount.memory.put_text("b", "new");
  const InodeId former = mount.id("a");
  const InodeId moved = mount.id("b");
  ASSERT_OK(mount.fs().rename(kRoot, "b", kRoot, "a", 0, mount.caller()));
  const auto seen = mount.fs().getattr(former, mount.caller());
  ASSERT_OK(seen);
  EXPECT_EQ(seen->attributes.size, 6u);
  EXPECT_EQ(seen->attributes.links, 0u);
  mount.requests();
  EXPECT_OK(mount.fs().setattr(former, {}, {.mode = 0600}, mount.caller()));
  EXPECT_OK(mount.fs().setattr(former, {}, {.size = 0}, mount.caller()));
  EXPECT_THAT(mount.requests(), IsEmpty());
  EXPECT_EQ(mount.id("a"), moved);
  EXPECT_EQ(mount.read_file("a").value_or(""), "new");
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  EXPECT_EQ(mount.fs().getattr(moved, mount.caller())->attributes.links, 0u);
}

TEST_F(NamesTest, WhatAFileThatWasNeverStoredHasReplacedGoesWithItsName) {
  for (const bool again : {false, true}) {
    Mount fresh;
    fresh.memory.put_text("b", "old");
    const auto handle = fresh.create(kRoot, "a");
    ASSERT_OK(handle);
    ASSERT_OK(fresh.write(*handle, 0, "new"));
    ASSERT_OK(fresh.fs().rename(kRoot, "a", kRoot, "b", 0, fresh.caller()));
    ASSERT_OK(again ? fresh.fs().rename(kRoot, "b", kRoot, "c", 0, fresh.caller()) : fresh.fs().unlink(kRoot, "b", fresh.caller()));
    EXPECT_THAT(fresh.memory.keys(), IsEmpty());
    EXPECT_OK(fresh.close(*handle));
    EXPECT_EQ(fresh.memory.text("c"), again ? std::optional<std::string>("new") : std::nullopt);
    EXPECT_EQ(fresh.memory.text("b"), std::nullopt);
  }
}

TEST_F(NamesTest, NoReplaceRefusesAnExistingName) {
  ASSERT_OK(mount.create_file(kRoot, "a", "a"));
  ASSERT_OK(mount.create_file(kRoot, "b", "b"));
  EXPECT_ERRC(rename("a", "b", RENAME_NOREPLACE), Errc::exists);
  EXPECT_OK(rename("a", "c", RENAME_NOREPLACE));
  mount.memory.put_text("d", "theirs");  // within the window, so this mount does not know
  EXPECT_ERRC(rename("c", "d", RENAME_NOREPLACE), Errc::exists);
  EXPECT_EQ(mount.memory.text("d"), "theirs");
  EXPECT_EQ(mount.memory.text("c"), "a");
  EXPECT_ERRC(rename("c", "d", RENAME_EXCHANGE), Errc::invalid);
}

TEST_F(NamesTest, ADirectoryAndAFileDoNotReplaceEachOther) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  ASSERT_OK(mount.create_file(kRoot, "f", "x"));
  EXPECT_ERRC(rename("d", "f"), Errc::not_dir);
  EXPECT_ERRC(rename("f", "d"), Errc::is_dir);
}

TEST_F(NamesTest, TemporaryNameRenamedBeforeItsCloseIsStoredUnderTheFinalName) {
  for (const int flags : {O_WRONLY, O_WRONLY | O_EXCL}) {
    Mount fresh;
    fresh.memory.put_text("final", "old");
    fresh.id("final");
    const auto handle = fresh.create(kRoot, "tmp", flags);
    ASSERT_OK(handle);
    ASSERT_OK(fresh.write(*handle, 0, "new"));
    ASSERT_OK(fresh.fs().rename(kRoot, "tmp", kRoot, "final", 0, fresh.caller()));
    EXPECT_THAT(*fresh.names(kRoot), ElementsAre("final"));
    ASSERT_OK(fresh.write(*handle, 3, "er"));
    EXPECT_OK(fresh.close(*handle));
    EXPECT_THAT(fresh.memory.keys(), ElementsAre("final"));
    EXPECT_EQ(fresh.memory.text("final"), "newer");
    EXPECT_EQ(fresh.read_file("final").value_or(""), "newer");
  }
}

TEST_F(NamesTest, OpenStoredFileIsRenamedAndWrittenOn) {
  mount.memory.put_text("a", "0123456789");
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "ab"));
  ASSERT_OK(rename("a", "b"));
  ASSERT_OK(mount.write(*handle, 2, "cd"));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
  EXPECT_EQ(mount.memory.text("b"), "abcd456789");
}

TEST_F(NamesTest, RenameOfAFileThatSomebodyElseChangedNeverMixesVersions) {
  mount.memory.put_text("a", std::string(300'000, '1'));
  const auto reader = mount.open("a", O_RDONLY);
  ASSERT_OK(reader);
  mount.memory.put_text("a", std::string(300'000, '2'));
  EXPECT_ERRC(rename("a", "b"), Errc::stale);
  ASSERT_OK(mount.lookup("a"));  // what the kernel does after ESTALE
  ASSERT_OK(rename("a", "b"));
  EXPECT_EQ(mount.memory.text("b")->front(), '2');
  EXPECT_ERRC(mount.read(*reader, 200'000, 10), Errc::stale);
  EXPECT_OK(mount.close(*reader));
  EXPECT_EQ(mount.read_file("b").value_or("?").front(), '2');
}

TEST_F(NamesTest, RenameWhoseDeleteFailsIsToldAndCanBeRepeated) {
  ASSERT_OK(mount.create_file(kRoot, "a", "new"));
  ASSERT_OK(mount.create_file(kRoot, "b", "old"));
  mount.store.add({.operation = "DeleteObject", .count = 1});
  EXPECT_ERRC(rename("a", "b"), Errc::unavailable);
  EXPECT_EQ(mount.read_file("a").value_or(""), "new");
  EXPECT_EQ(mount.read_file("b").value_or(""), "new") << "as S3 has it now";
  EXPECT_OK(rename("a", "b"));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b"));
}

TEST_F(NamesTest, MetadataOfOthersSurvivesARename) {
  mount.memory.put_text("a", "x", {.content_type = "text/x-own", .cache_control = "no-store", .user_metadata = {{"title", "t"}}});
  mount.id("a");
  ASSERT_OK(rename("a", "b"));
  const auto info = mount.memory.info("b");
  EXPECT_EQ(info->content_type, "text/x-own");
  EXPECT_EQ(info->cache_control, "no-store");
  EXPECT_EQ(info->user_metadata.at("title"), "t");
}

}  // namespace
}  // namespace prefixfs::vfs
