// commit=journal: what close() acknowledges, what reaches S3, and what a restart finds.

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

TEST_F(WriteBackTest, CloseReturnsBeforeS3HasTheFile) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "cv.pdf", "text"));
  EXPECT_EQ(mount.memory.text("cv.pdf"), std::nullopt);
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_EQ(mount.fs().owed()[0].path, "cv.pdf");
  EXPECT_EQ(mount.fs().owed()[0].bytes, 4u);
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("cv.pdf"), "text");
  EXPECT_THAT(*mount.names(kRoot), ::testing::ElementsAre("cv.pdf"));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("cv.pdf"), "text");
  EXPECT_EQ(mount.memory.info("cv.pdf")->user_metadata.count("file-mtime"), 1u);
  mount.window_ends();
  EXPECT_EQ(*mount.read_file("cv.pdf"), "text");
}

TEST_F(WriteBackTest, OneNewFileIsOneRequest) {
  static_cast<void>(mount.names(kRoot));
  mount.requests();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  delivered();
  EXPECT_THAT(mount.requests(), ::testing::ElementsAre("PutObject a"));
}

TEST_F(WriteBackTest, ARestartDeliversWhatIsOwed) {
  mount.memory.put_text("old", "before");
  outage();
  EXPECT_OK(mount.create_file(kRoot, "new", "text"));
  EXPECT_OK(mount.change_file("old", O_WRONLY | O_APPEND, 0, " after"));
  EXPECT_OK(mount.create_file(kRoot, "empty", ""));
  mount.restart();
  EXPECT_EQ(mount.fs().owed().size(), 3u);
  EXPECT_EQ(*mount.read_file("new"), "text");
  EXPECT_EQ(*mount.read_file("old"), "before after");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("new"), "text");
  EXPECT_EQ(mount.memory.text("old"), "before after");
  EXPECT_EQ(mount.memory.text("empty"), "");
  mount.restart();
  EXPECT_TRUE(mount.fs().owed().empty());
  EXPECT_EQ(mount.staged_files(), 0u);
}

TEST_F(WriteBackTest, TheAcknowledgedStateIsDeliveredWhateverIsWrittenMeanwhile) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "a", "acknowledged"));
  const auto handle = *mount.open("a", O_WRONLY);
  EXPECT_OK(mount.write(handle, 0, "HALF"));
  EXPECT_EQ(*mount.read_file("a"), "HALFowledged");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "acknowledged");
  EXPECT_OK(mount.write(handle, 4, "-WHOLE--"));
  EXPECT_OK(mount.close(handle));
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "HALF-WHOLE--");
}

TEST_F(WriteBackTest, WhatWasNotAcknowledgedIsGoneAfterACrashAndTheStateBeforeIsThere) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "a", "acknowledged"));
  const auto handle = *mount.open("a", O_WRONLY | O_TRUNC);
  EXPECT_OK(mount.write(handle, 0, "HALF"));
  mount.restart();
  EXPECT_EQ(*mount.read_file("a"), "acknowledged");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "acknowledged");
}

TEST_F(WriteBackTest, SeveralClosesBeforeTheDeliveryAreOneUpload) {
  outage_is_known();
  EXPECT_OK(mount.create_file(kRoot, "a", "1"));
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "2"));
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "3"));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  mount.requests();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "123");
  EXPECT_EQ(mount.store.count("PutObject"), 2);
}

TEST_F(WriteBackTest, ACloseWhileTheStateBeforeIsOnItsWayIsDeliveredAfterIt) {
  close_gate();
  EXPECT_OK(mount.create_file(kRoot, "a", "1"));
  wait_for_gate();
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "2"));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  open_gate();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "12");
}

TEST_F(WriteBackTest, AFileRenamedBeforeItsUploadIsUploadedOnceUnderItsFinalName) {
  static_cast<void>(mount.names(kRoot));
  outage();
  EXPECT_OK(mount.create_file(kRoot, ".cv.tmp", "text"));
  EXPECT_OK(mount.fs().rename(kRoot, ".cv.tmp", kRoot, "cv.pdf", 0, mount.caller()));
  EXPECT_ERRC(mount.lookup(".cv.tmp"), Errc::not_found);
  EXPECT_EQ(*mount.read_file("cv.pdf"), "text");
  mount.restart();
  EXPECT_EQ(*mount.read_file("cv.pdf"), "text");
  mount.requests();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("cv.pdf"), "text");
  EXPECT_EQ(mount.memory.text(".cv.tmp"), std::nullopt);
  EXPECT_EQ(mount.memory.info("cv.pdf")->content_type, "application/pdf");
}

TEST_F(WriteBackTest, ARenameOverAnotherOwedFileDeliversOnlyTheWinner) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "final", "old"));
  EXPECT_OK(mount.create_file(kRoot, "temp", "new"));
  EXPECT_OK(mount.fs().rename(kRoot, "temp", kRoot, "final", 0, mount.caller()));
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  mount.store.forget_calls();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("final"), "new");
  EXPECT_EQ(mount.store.count("PutObject"), 1);
}

TEST_F(WriteBackTest, WhatAnOwedFileHasReplacedGoesWithItsName) {
  mount.memory.put_text("b", "old");
  mount.memory.put_text("c", "old");
  outage();
  for (const char* name : {"b", "c"}) {
    ASSERT_OK(mount.create_file(kRoot, "a", "new"));
    ASSERT_OK(mount.fs().rename(kRoot, "a", kRoot, name, 0, mount.caller()));
  }
  ASSERT_OK(mount.fs().unlink(kRoot, "b", mount.caller()));
  ASSERT_OK(mount.fs().rename(kRoot, "c", kRoot, "d", 0, mount.caller()));
  answers();
  delivered();
  EXPECT_EQ(mount.memory.keys(), std::vector<std::string>{"d"});
  EXPECT_EQ(mount.memory.text("d"), "new");
}

TEST_F(WriteBackTest, AConflictKeepsBoth) {
  mount.memory.put_text("a", "old");
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY, 0, "OLD"));
  mount.memory.put_text("a", "theirs");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "theirs");
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("OLD"));
  EXPECT_EQ(*mount.read_file("a"), "theirs");
  mount.restart();
  EXPECT_TRUE(mount.fs().owed().empty());
}

TEST_F(WriteBackTest, AFileWrittenAnewIsStoredAlsoWhenItsFormerVersionIsGone) {
  mount.memory.put_text("a", "old");
  outage();
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "new"));
  mount.memory.erase("a");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, AnExclusiveCreateThatLosesKeepsBoth) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "a", "mine", O_WRONLY | O_EXCL));
  mount.memory.put_text("a", "theirs");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "theirs");
  EXPECT_THAT(mount.kept(), ::testing::ElementsAre("mine"));
}

TEST_F(WriteBackTest, AnUploadWhoseAnswerWasLostBeforeTheCrashIsNoConflict) {
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  mount.store.add({.operation = "PutObject", .count = -1});
  EXPECT_OK(mount.create_file(kRoot, "a", "mine", O_WRONLY | O_EXCL));
  mount.restart();
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "mine");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, ARefusalIsParkedAndSurvivesARestart) {
  mount.memory.set_rights({.put = false});
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  EXPECT_ERRC(mount.fs().drain(true, {}), Errc::denied);
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_TRUE(mount.fs().owed()[0].parked);
  mount.store.forget_calls();
  mount.restart();
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_TRUE(mount.fs().owed()[0].parked);
  EXPECT_EQ(mount.store.count("PutObject"), 0);
  EXPECT_EQ(*mount.read_file("a"), "text");
  mount.memory.set_rights({});
  mount.fs().retry({});
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "text");
}

TEST_F(WriteBackTest, ModeOfAnOwedFileIsDeliveredWithIt) {
  outage();
  EXPECT_OK(mount.create_file(kRoot, "a", "text"));
  EXPECT_OK(mount.fs().setattr(mount.id("a"), std::nullopt, {.mode = 0600}, mount.caller()));
  mount.restart();
  EXPECT_EQ(mount.lookup("a")->attributes.posix.mode, 0600u);
  mount.store.forget_calls();
  answers();
  delivered();
  EXPECT_EQ(mount.store.count("CopyObject"), 0);
  mount.window_ends();
  EXPECT_EQ(mount.lookup("a")->attributes.posix.mode, 0600u);
}

TEST_F(WriteBackTest, DirectoriesAndWhatIsInThemSurviveARestart) {
  outage();
  const auto made = mount.fs().mkdir(kRoot, "dir", 0750, mount.caller());
  ASSERT_OK(made);
  EXPECT_OK(mount.create_file(made->attributes.id, "a", "text"));
  mount.restart();
  EXPECT_EQ(mount.lookup("dir")->attributes.posix.mode, 0750u);
  EXPECT_EQ(*mount.read_file("dir/a"), "text");
  answers();
  delivered();
  EXPECT_TRUE(mount.memory.info("dir/"));
  EXPECT_EQ(mount.memory.text("dir/a"), "text");
}

TEST_F(WriteBackTest, ACacheThatWasLostIsMadeAnewFromTheJournal) {
  outage();
  const auto made = mount.fs().mkdir(kRoot, "dir", 0755, mount.caller());
  ASSERT_OK(made);
  EXPECT_OK(mount.create_file(made->attributes.id, "a", "text"));
  mount.restart_without_cache();
  EXPECT_EQ(*mount.read_file("dir/a"), "text");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("dir/a"), "text");
}

TEST_F(WriteBackTest, FsyncOfADirectoryWaitsForWhatIsInIt) {
  const auto made = mount.fs().mkdir(kRoot, "dir", 0755, mount.caller());
  ASSERT_OK(made);
  delivered();
  outage();
  EXPECT_OK(mount.create_file(kRoot, "outside", "text"));
  EXPECT_OK(mount.fs().fsyncdir(made->attributes.id, mount.caller()));
  EXPECT_OK(mount.create_file(made->attributes.id, "inside", "text"));
  EXPECT_ERRC(mount.fs().fsyncdir(made->attributes.id, mount.caller()), Errc::unavailable);
  answers();
  delivered();
  EXPECT_OK(mount.fs().fsyncdir(kRoot, mount.caller()));
  EXPECT_EQ(mount.memory.text("dir/inside"), "text");
}

TEST_F(WriteBackTest, ADirectoryThatIsOwedIsNotDiscardedButRemoved) {
  outage();
  ASSERT_OK(mount.fs().mkdir(kRoot, "dir", 0755, mount.caller()));
  ASSERT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_ERRC(mount.fs().discard(mount.fs().owed()[0].id, {}), Errc::unsupported);
  EXPECT_EQ(mount.fs().owed().size(), 1u);
  EXPECT_OK(mount.fs().rmdir(kRoot, "dir", mount.caller()));
}

TEST(WriteBackInAnOutageTest, AStateThatACloseMayHaveStoredIsDeliveredBeforeTheNextOne) {
  MountSettings given;
  given.settings.queue_in_outage = true;
  Mount mount(given);
  mount.memory.put_text("log", "0");
  mount.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "1"));
  EXPECT_EQ(mount.memory.text("log"), "01");
  mount.clock.hold_naps(true);
  EXPECT_OK(mount.change_file("log", O_WRONLY | O_APPEND, 0, "2"));
  mount.clock.hold_naps(false);
  EXPECT_OK(mount.fs().drain(true, {}));
  EXPECT_EQ(mount.memory.text("log"), "012");
  EXPECT_TRUE(mount.kept().empty());
}

TEST_F(WriteBackTest, AFileThatOnlyTheJournalHasAndThatIsCutToNothingIsStored) {
  Caller program = mount.caller();
  program.thread = 7;
  outage_is_known();
  const auto made = mount.fs().create(kRoot, "a", 0644, O_CREAT | O_RDWR, program);
  ASSERT_TRUE(made);
  const InodeId file = made->entry.attributes.id;
  mount.processes.descriptors.insert({7, file});
  ASSERT_TRUE(mount.fs().write(made->opened.handle, 0, bytes_of("acknowledged"), program));
  ASSERT_OK(mount.fs().flush(made->opened.handle, program));
  const auto cut = mount.fs().open(file, O_RDWR | O_TRUNC, program);
  ASSERT_TRUE(cut);
  ASSERT_OK(mount.fs().flush(cut->handle, program));
  mount.fs().release(cut->handle);
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "");
}

TEST_F(WriteBackTest, AFileThatIsCutWhileTwoStatesOfItAreOnTheirWayIsAcknowledgedByTheNextFsync) {
  mount.clock.hold_naps(false);
  close_gate();
  ASSERT_OK(mount.create_file(kRoot, "a", "one"));
  wait_for_gate();
  ASSERT_OK(mount.change_file("a", O_WRONLY, 0, "two"));
  const auto cut = mount.open("a", O_WRONLY | O_TRUNC);
  ASSERT_OK(cut);
  let_one_through();
  wait_for_gate(2);  // the first one is stored, and that is recorded
  ASSERT_OK(mount.fs().fsync(*cut, mount.caller()));
  EXPECT_EQ(mount.fs().owed().size(), 2u);
  open_gate();
  EXPECT_OK(mount.close(*cut));
  delivered();
  EXPECT_EQ(mount.memory.text("a"), "");
}

TEST_F(WriteBackTest, WhatWasStoredOfAFileWhileItWasReplacedGoesWithItsName) {
  mount.clock.hold_naps(false);
  ASSERT_OK(mount.create_file(kRoot, "b", "one"));
  delivered();
  close_gate();
  ASSERT_OK(mount.create_file(kRoot, "a", "two"));
  wait_for_gate();
  std::jthread renames([&] { EXPECT_OK(mount.fs().rename(kRoot, "b", kRoot, "a", 0, mount.caller())); });
  open_gate();
  renames.join();
  ASSERT_OK(mount.fs().unlink(kRoot, "a", mount.caller()));
  delivered();
  EXPECT_TRUE(mount.memory.keys().empty());
}

}  // namespace
}  // namespace prefixfs::vfs
