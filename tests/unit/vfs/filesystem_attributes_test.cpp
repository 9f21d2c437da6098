// chmod, chown, utimens, truncate, and what of them lasts.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SetattrTest : public VfsTest {
 protected:
  /// What another client may have said of its object.
  const UserMetadata theirs{{"file-permissions", "0100600"}, {"file-owner", "7"}, {"file-group", "8"}, {"title", "t"}};

  Result<Entry> set(std::string_view path, const SetAttributes& changes) {
    return mount.fs().setattr(mount.id(path), std::nullopt, changes, mount.caller());
  }
  PosixAttributes seen_by_another_mount(const std::string& key) {
    Mount other;
    other.memory.put_text(key, mount.memory.text(key).value_or(""), s3::headers_of(*mount.memory.info(key)));
    EXPECT_OK(other.lookup(key));
    other.window_ends();
    return other.lookup(key)->attributes.posix;
  }
  Mount mount;
};

TEST_F(SetattrTest, CreateStoresModeOwnerAndTime) {
  const auto handle = mount.create(kRoot, "a", O_WRONLY, 0640);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  const std::int64_t written = mount.clock.now().time_since_epoch().count();
  mount.clock.advance(100ms);
  EXPECT_OK(mount.close(*handle));
  const PosixAttributes expected{.mode = 0640, .uid = 1000, .gid = 1000, .mtime_ns = written};
  EXPECT_EQ(mount.lookup("a")->attributes.posix, expected);
  EXPECT_EQ(seen_by_another_mount("a"), expected);
}

TEST_F(SetattrTest, ChangesOfAStoredFileLast) {
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  ASSERT_OK(set("a", {.mode = 0100600, .uid = 5, .gid = 6, .mtime_ns = -1'500'000'000, .atime_ns = -1'500'000'000}));
  const PosixAttributes expected{.mode = 0600, .uid = 5, .gid = 6, .mtime_ns = -1'500'000'000};
  EXPECT_EQ(mount.lookup("a")->attributes.posix, expected);
  EXPECT_EQ(seen_by_another_mount("a"), expected);
  EXPECT_EQ(mount.memory.text("a"), "hello");
  mount.restart();
  EXPECT_EQ(mount.lookup("a")->attributes.posix, expected);
}

TEST_F(SetattrTest, ChangesOfAFileBeingWrittenGoWithItsBytes) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  ASSERT_OK(mount.fs().setattr(mount.id("a"), *handle, {.mode = 0600, .mtime_ns = 42, .atime_ns = 42}, mount.caller()));
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject a"));
  EXPECT_EQ(seen_by_another_mount("a"), (PosixAttributes{.mode = 0600, .uid = 1000, .gid = 1000, .mtime_ns = 42}));
}

TEST_F(SetattrTest, WriteAfterUtimensSetsTheTime) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().setattr(mount.id("a"), *handle, {.mtime_ns = 42}, mount.caller()));
  ASSERT_OK(mount.write(*handle, 0, "x"));
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.lookup("a")->attributes.posix.mtime_ns, mount.clock.now().time_since_epoch().count());
}

TEST_F(SetattrTest, UtimensAfterTheBytesWereStoredIsOneCopyAtClose) {
  const auto handle = mount.create(kRoot, "a");
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "x"));
  ASSERT_OK(mount.fs().flush(*handle, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("a"), *handle, {.mtime_ns = 42}, mount.caller()));
  mount.requests();
  EXPECT_OK(mount.close(*handle));
  EXPECT_THAT(mount.requests(), ElementsAre("CopyObject a"));
  EXPECT_EQ(seen_by_another_mount("a").mtime_ns, 42);
}

TEST_F(SetattrTest, AnAtimeStaysWhereItWasWhenOnlyTheMtimeIsSet) {
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  const std::int64_t written = mount.lookup("a")->attributes.posix.mtime_ns;
  ASSERT_OK(set("a", {.mtime_ns = 42}));
  EXPECT_EQ(seen_by_another_mount("a").atime_ns, written);
  ASSERT_OK(set("a", {.atime_ns = 42}));
  EXPECT_EQ(seen_by_another_mount("a").atime_ns, std::nullopt);
}

TEST_F(SetattrTest, ChownClearsSetIdBits) {
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  ASSERT_OK(set("a", {.mode = 06755}));
  ASSERT_OK(set("a", {.gid = 5}));
  EXPECT_EQ(seen_by_another_mount("a").mode, 0755u);
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 02775, mount.caller()));
  ASSERT_OK(set("d", {.uid = 5}));
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 02775u);
}

TEST_F(SetattrTest, WhoHasNoRightToThemClearsSetIdBitsByWritingAndCutting) {
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  Caller ordinary = mount.caller();
  ordinary.kills_set_id = true;
  const auto write = [&](const Caller& caller) {
    ASSERT_OK(set("a", {.mode = 06755}));
    const auto handle = mount.open("a", O_WRONLY);
    ASSERT_OK(handle);
    EXPECT_OK(mount.fs().write(*handle, 0, bytes_of("x"), caller));
    EXPECT_OK(mount.close(*handle));
  };
  write(mount.caller());
  EXPECT_EQ(seen_by_another_mount("a").mode, 06755u);
  write(ordinary);
  EXPECT_EQ(seen_by_another_mount("a").mode, 0755u);
  ASSERT_OK(set("a", {.mode = 06755}));
  ASSERT_OK(mount.fs().setattr(mount.id("a"), {}, {.size = 1}, ordinary));
  EXPECT_EQ(seen_by_another_mount("a").mode, 0755u);
  ASSERT_OK(set("a", {.mode = 06755}));
  const auto opened = mount.fs().open(mount.id("a"), O_WRONLY | O_TRUNC, ordinary);
  ASSERT_OK(opened);
  EXPECT_OK(mount.close(opened->handle));
  EXPECT_EQ(seen_by_another_mount("a").mode, 0755u);
}

TEST_F(SetattrTest, WhatIsMadeInASetGroupIdDirectoryGetsItsGroup) {
  const auto directory = mount.fs().mkdir(kRoot, "d", 02775, mount.caller());
  ASSERT_OK(directory);
  ASSERT_OK(set("d", {.gid = 77}));
  const InodeId id = directory->attributes.id;
  ASSERT_OK(mount.create_file(id, "file", "x"));
  const auto below = mount.fs().mkdir(id, "below", 0755, mount.caller());
  ASSERT_OK(below);
  EXPECT_EQ(below->attributes.posix.mode, 02755u);
  EXPECT_EQ(below->attributes.posix.gid, 77u);
  EXPECT_EQ(seen_by_another_mount("d/file").gid, 77u);
  EXPECT_EQ(seen_by_another_mount("d/file").mode, 0644u);
}

TEST_F(SetattrTest, TheTimesOfADirectoryMoveWithItsNamesForNoRequest) {
  ASSERT_OK(mount.fs().mkdir(kRoot, "d", 0755, mount.caller()));
  const InodeId id = mount.id("d");
  const auto moves = [&](const std::function<void()>& change) {
    mount.clock.advance(10ms);
    change();
    const Attributes now = mount.fs().getattr(id, mount.caller())->attributes;
    const std::int64_t moment = mount.clock.now().time_since_epoch().count();
    return now.posix.mtime_ns == moment && now.ctime_ns == moment;
  };
  mount.requests();
  EXPECT_TRUE(moves([&] { EXPECT_OK(mount.create_file(id, "a", "x")); }));
  EXPECT_TRUE(moves([&] { EXPECT_OK(mount.fs().rename(id, "a", id, "b", 0, mount.caller())); }));
  EXPECT_TRUE(moves([&] { EXPECT_OK(mount.fs().unlink(id, "b", mount.caller())); }));
  EXPECT_TRUE(moves([&] { EXPECT_OK(mount.fs().mkdir(id, "e", 0755, mount.caller())); }));
  EXPECT_TRUE(moves([&] { EXPECT_OK(mount.fs().rmdir(id, "e", mount.caller())); }));
  EXPECT_FALSE(moves([&] { EXPECT_OK(mount.create_file(kRoot, "f", "x")); }));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject d/a", "CopyObject d/b", "DeleteObject d/a", "DeleteObject d/b", "PutObject d/e/",
                                            "ListObjectsV2 d/e/", "DeleteObject d/e/", "PutObject f"));
  const std::int64_t moved = mount.fs().getattr(id, mount.caller())->attributes.posix.mtime_ns;
  mount.restart();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mtime_ns, moved);
  ASSERT_OK(set("d", {.mode = 0700}));
  EXPECT_EQ(seen_by_another_mount("d/").mtime_ns, moved) << "S3 gets it with the next marker";
}

TEST_F(SetattrTest, CtimeMovesWithEachChangeOfThisMount) {
  ASSERT_OK(mount.create_file(kRoot, "a", "hello"));
  const auto ctime = [&](std::string_view name) { return mount.lookup(name)->attributes.ctime_ns; };
  const auto now = [&] { return mount.clock.now().time_since_epoch().count(); };
  mount.clock.advance(10ms);
  ASSERT_OK(set("a", {.mode = 0600}));
  EXPECT_EQ(ctime("a"), now());
  mount.clock.advance(10ms);
  ASSERT_OK(set("a", {.mtime_ns = 42, .atime_ns = 42}));
  EXPECT_EQ(ctime("a"), now());
  mount.clock.advance(10ms);
  ASSERT_OK(mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()));
  EXPECT_EQ(ctime("b"), now());
  const std::int64_t renamed = now();
  mount.clock.advance(10s);
  ASSERT_OK(mount.names(kRoot));
  EXPECT_EQ(ctime("b"), renamed) << "what a listing says of the same version does not move it";
  mount.memory.put_text("b", "theirs");
  mount.clock.advance(10s);
  EXPECT_GT(ctime("b"), renamed) << "another client's version is as old as S3 says";
}

TEST_F(SetattrTest, TimeOfAFileKnownFromAListingKeepsItsModeAndOwner) {
  mount.memory.put_text("a", "x", {.user_metadata = theirs});
  ASSERT_OK(mount.names(kRoot));
  ASSERT_OK(set("a", {.mtime_ns = 42, .atime_ns = 41}));
  EXPECT_EQ(seen_by_another_mount("a"), (PosixAttributes{.mode = 0600, .uid = 7, .gid = 8, .mtime_ns = 42, .atime_ns = 41, .xattrs = {{"title", "t"}}}));
  EXPECT_EQ(mount.memory.info("a")->user_metadata.at("title"), "t");
}

TEST_F(SetattrTest, RewriteOfAFileKnownFromAListingKeepsItsModeAndMetadata) {
  for (const int flags : {O_WRONLY, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND}) {
    Mount fresh;
    fresh.memory.put_text("a", "0123456789", {.content_type = "text/x-own", .cache_control = "no-store", .user_metadata = theirs});
    ASSERT_OK(fresh.names(kRoot));
    ASSERT_OK(fresh.change_file("a", flags, 0, "abc"));
    const auto info = fresh.memory.info("a");
    EXPECT_EQ(info->content_type, "text/x-own");
    EXPECT_EQ(info->cache_control, "no-store");
    EXPECT_EQ(info->user_metadata.at("title"), "t");
    EXPECT_EQ(info->user_metadata.at("file-permissions"), "0100600");
    EXPECT_EQ(info->user_metadata.at("file-owner"), "7");
    EXPECT_EQ(fresh.lookup("a")->attributes.posix.mode, 0600u);
  }
}

TEST_F(SetattrTest, RewriteChmodAndRenameKeepTagsAndStorageClassAndEncryption) {
  const s3::ObjectHeaders theirs_too{.storage = {.storage_class = "INTELLIGENT_TIERING", .sse = "aws:kms", .sse_key_id = "key"},
                                     .tagging = "project=x&year=2026"};
  const auto expect_kept = [](Mount& fresh, const char* name) {
    const auto info = fresh.memory.info(name);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->storage_class, "INTELLIGENT_TIERING");
    EXPECT_EQ(info->sse, "aws:kms");
    EXPECT_EQ(info->sse_key_id, "key");
    EXPECT_EQ(fresh.memory.tagging(Key(name), {}).value_or("?"), "project=x&year=2026");
  };
  for (const int flags : {O_WRONLY, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND}) {
    Mount fresh;
    fresh.memory.put_text("a", "0123456789", theirs_too);
    ASSERT_OK(fresh.change_file("a", flags, 0, "abc"));
    expect_kept(fresh, "a");
    ASSERT_OK(fresh.change_file("a", flags, 0, "def"));  // from what is remembered of the first rewrite
    expect_kept(fresh, "a");
    ASSERT_OK(fresh.fs().setattr(fresh.id("a"), std::nullopt, {.mode = 0600}, fresh.caller()));
    expect_kept(fresh, "a");
    ASSERT_OK(fresh.fs().rename(kRoot, "a", kRoot, "b", 0, fresh.caller()));
    expect_kept(fresh, "b");
  }
}

TEST_F(SetattrTest, TagsThatMayNotBeReadDoNotHinderARewrite) {
  mount.memory.put_text("a", "old", {.tagging = "project=x"});
  mount.memory.set_rights({.tagging = false});
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "new"));
  EXPECT_EQ(mount.memory.text("a"), "new");
}

TEST_F(SetattrTest, ChmodOfAnOpenFileKnownFromAListingKeepsItsOwner) {
  mount.memory.put_text("a", "x", {.user_metadata = {{"file-permissions", "0100600"}, {"file-owner", "7"}, {"file-group", "8"}}});
  ASSERT_OK(mount.names(kRoot));
  const auto handle = mount.open("a", O_WRONLY);
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().setattr(mount.id("a"), *handle, {.mode = 0640}, mount.caller()));
  ASSERT_OK(mount.write(*handle, 0, "y"));
  EXPECT_OK(mount.close(*handle));
  const PosixAttributes seen = seen_by_another_mount("a");
  EXPECT_EQ(seen.mode, 0640u);
  EXPECT_EQ(seen.uid, 7u);
}

TEST_F(SetattrTest, LargeRewriteKeepsMetadataToo) {
  MountSettings given;
  given.upload.limits.part_bytes = 64 << 10;
  given.upload.limits.part_bytes_min = 16 << 10;
  Mount small(given);
  small.memory.set_part_bytes_min(16 << 10);
  for (const bool listed : {false, true}) {
    small.memory.put_text("a", "x", {.cache_control = "no-store", .user_metadata = {{"title", "t"}}});
    small.window_ends();
    if (listed) {
      ASSERT_OK(small.names(kRoot));
    }
    ASSERT_OK(small.change_file("a", O_WRONLY | O_TRUNC, 0, std::string(300'000, 'y')));
    EXPECT_EQ(small.memory.info("a")->cache_control, "no-store");
    EXPECT_EQ(small.memory.info("a")->user_metadata.at("title"), "t");
  }
}

TEST_F(SetattrTest, ChangeOfAVersionThatIsGoneIsStaleAndThenLooksAgain) {
  mount.memory.put_text("a", "first");
  EXPECT_EQ(mount.read_file("a").value_or(""), "first");
  mount.memory.put_text("a", "second", {.user_metadata = {{"title", "t"}}});
  EXPECT_ERRC(set("a", {.mode = 0600}), Errc::stale);
  ASSERT_OK(set("a", {.mode = 0600}));
  EXPECT_EQ(mount.read_file("a").value_or(""), "second");
  EXPECT_EQ(mount.memory.info("a")->user_metadata.at("title"), "t");
}

TEST_F(SetattrTest, OpenReaderGoesOnAfterAChmod) {
  const std::string text(300'000, 'x');
  mount.memory.put_text("a", text);
  const auto handle = mount.open("a", O_RDONLY);
  ASSERT_OK(handle);
  const InodeId inode = mount.id("a");
  ASSERT_OK(set("a", {.mode = 0600}));
  EXPECT_TRUE(mount.read(*handle).value_or("") == text);
  EXPECT_EQ(mount.id("a"), inode);
  EXPECT_OK(mount.close(*handle));
}

TEST_F(SetattrTest, TruncateByPath) {
  mount.memory.put_text("a", "0123456789", {.user_metadata = {{"title", "t"}}});
  EXPECT_EQ(set("a", {.size = 4})->attributes.size, 4u);
  EXPECT_EQ(mount.memory.text("a"), "0123");
  EXPECT_EQ(set("a", {.size = 6})->attributes.size, 6u);
  EXPECT_EQ(mount.memory.text("a"), std::string("0123\0\0", 6));
  EXPECT_EQ(set("a", {.size = 0})->attributes.size, 0u);
  EXPECT_EQ(mount.memory.text("a"), "");
  EXPECT_EQ(mount.memory.info("a")->user_metadata.at("title"), "t");
  ASSERT_OK(set("a", {.size = 3, .mode = 0600, .mtime_ns = 42}));
  EXPECT_EQ(mount.memory.text("a"), std::string(3, '\0'));
  EXPECT_EQ(seen_by_another_mount("a").mode, 0600u);
}

TEST_F(SetattrTest, TruncateByPathOfAFileThatOthersReadIsStored) {
  mount.memory.put_text("a", "0123456789");
  const auto reader = mount.open("a", O_RDONLY);
  ASSERT_OK(reader);
  ASSERT_OK(set("a", {.size = 4}));
  EXPECT_EQ(mount.memory.text("a"), "0123");
  EXPECT_OK(mount.close(*reader));
  EXPECT_THAT(mount.kept(), IsEmpty());
  EXPECT_EQ(mount.read_file("a").value_or(""), "0123");
}

TEST_F(SetattrTest, TruncateThroughAHandleIsStoredAtClose) {
  mount.memory.put_text("a", "0123456789");
  const auto handle = mount.open("a", O_RDWR);
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().setattr(mount.id("a"), *handle, {.size = 4}, mount.caller()));
  EXPECT_EQ(mount.read(*handle).value_or(""), "0123");
  EXPECT_EQ(mount.memory.text("a"), "0123456789");
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("a"), "0123");
}

TEST_F(SetattrTest, DirectoriesKeepTheirAttributesInTheMarker) {
  mount.memory.put_text("d/f", "x");
  ASSERT_OK(set("d", {.mode = 0700}));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("d/", "d/f"));
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  mount.window_ends();
  EXPECT_EQ(mount.lookup("d")->attributes.posix.mode, 0700u);
  EXPECT_ERRC(set("d", {.size = 0}), Errc::is_dir);
}

TEST_F(SetattrTest, MarkerOfOthersKeepsItsOwner) {
  mount.memory.put_text("d/", "", {.user_metadata = {{"file-owner", "7"}, {"file-group", "8"}, {"title", "t"}}});
  ASSERT_OK(mount.names(kRoot));
  ASSERT_OK(set("d", {.mode = 0700}));
  const auto info = mount.memory.info("d/");
  EXPECT_EQ(info->user_metadata.at("file-owner"), "7");
  EXPECT_EQ(info->user_metadata.at("title"), "t");
}

TEST_F(SetattrTest, RootHasTheAttributesOfTheMountUntilTheyAreChanged) {
  EXPECT_OK(mount.fs().setattr(kRoot, std::nullopt, {.mtime_ns = 42}, mount.caller()));
  EXPECT_EQ(mount.fs().getattr(kRoot, mount.caller())->attributes.posix.mode, 0755u);
  EXPECT_OK(mount.fs().setattr(kRoot, std::nullopt, {.mode = 0700}, mount.caller()));
  mount.restart();
  EXPECT_EQ(mount.fs().getattr(kRoot, mount.caller())->attributes.posix.mode, 0700u) << "this host remembers it";
  EXPECT_THAT(mount.memory.keys(), IsEmpty());
}

TEST_F(SetattrTest, WithoutMetadataChangesAreAcceptedAndForgotten) {
  MountSettings given;
  given.settings.dialect = MetadataDialect::off;
  Mount plain(given);
  ASSERT_OK(plain.create_file(kRoot, "a", "x"));
  plain.requests();
  EXPECT_OK(plain.fs().setattr(plain.id("a"), std::nullopt, {.mode = 0600}, plain.caller()));
  EXPECT_THAT(plain.requests(), IsEmpty());
  EXPECT_TRUE(plain.memory.info("a")->user_metadata.empty());
}

TEST_F(SetattrTest, StatfsHasRoom) {
  EXPECT_GT(mount.fs().statfs().free_bytes, 1ULL << 40);
}

}  // namespace
}  // namespace prefixfs::vfs
