// Names that are written from their first byte without having been asked for: open(O_CREAT | O_TRUNC) of an unknown name.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NewNamesTest : public VfsTest {
 protected:
  static constexpr int kAnew = O_WRONLY | O_TRUNC;

  static Result<Entry> look(Mount& mount, InodeId parent, std::string_view name, LookupIntent intent) {
    mount.processes.intent = intent;
    auto found = mount.fs().lookup(parent, name, mount.caller());
    mount.processes.intent = LookupIntent::unknown;
    return found;
  }
  /// What the kernel does for open(O_CREAT | O_TRUNC): a lookup, and a create if there is nothing.
  static Result<void> write_anew(Mount& mount, InodeId parent, std::string_view name, std::string_view text) {
    EXPECT_ERRC(look(mount, parent, name, LookupIntent::open_anew), Errc::not_found);
    return mount.create_file(parent, name, text, kAnew);
  }
};

TEST_F(NewNamesTest, OneListingServesTheNewFilesOfAMinute) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  for (int i = 0; i < 50; ++i) {
    mount.window_ends();
    ASSERT_OK(write_anew(mount, kRoot, fmt::format("{}", i), "x"));
  }
  const auto requests = mount.requests();
  EXPECT_EQ(requests.size(), 50u);
  EXPECT_EQ(requests.back(), "PutObject 49");
}

TEST_F(NewNamesTest, AfterAMinuteTheDirectoryIsListedAgain) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  mount.clock.advance(61s);
  ASSERT_OK(write_anew(mount, kRoot, "a", "x"));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 ", "PutObject a"));
}

TEST_F(NewNamesTest, WhoOnlyLooksIsToldByS3) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.memory.put_text("theirs", "x");
  mount.window_ends();
  EXPECT_OK(look(mount, kRoot, "theirs", LookupIntent::unknown));
}

TEST_F(NewNamesTest, AFileThatSomebodyElseHasMadeIsOverwrittenAndKeepsWhatIsSaidOfIt) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.window_ends();
  mount.memory.put_text("theirs", "old", {.content_type = "application/x-theirs", .cache_control = "no-store",
                                          .user_metadata = {{"tenant", "7"}, {"file-permissions", "0100600"}}});
  mount.requests();
  ASSERT_OK(write_anew(mount, kRoot, "theirs", "new"));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject theirs", "HeadObject theirs", "PutObject theirs"));
  EXPECT_EQ(mount.memory.text("theirs"), "new");
  const auto info = mount.memory.info("theirs");
  EXPECT_EQ(info->content_type, "application/x-theirs");
  EXPECT_EQ(info->cache_control, "no-store");
  EXPECT_EQ(info->user_metadata.at("tenant"), "7");
  const auto entry = mount.lookup("theirs");
  ASSERT_OK(entry);
  EXPECT_EQ(entry->attributes.posix.mode, 0600u);
}

TEST_F(NewNamesTest, ALargeFileThatSomebodyElseHasMadeIsOverwrittenToo) {
  Mount mount({.settings = {}, .upload = {.limits = {.part_bytes = 5 << 20}}});
  ASSERT_OK(mount.names(kRoot));
  mount.window_ends();
  mount.memory.put_text("theirs", "old", {.user_metadata = {{"tenant", "7"}}});
  const std::string large(12 << 20, 'n');
  ASSERT_OK(write_anew(mount, kRoot, "theirs", large));
  EXPECT_EQ(mount.memory.text("theirs"), large);
  EXPECT_EQ(mount.memory.info("theirs")->user_metadata.at("tenant"), "7");
  EXPECT_EQ(mount.memory.open_uploads(), 0u);
}

TEST_F(NewNamesTest, WithoutTheRightToListANewFileIsOnePut) {
  Mount mount;
  mount.memory.set_rights({.list = false});
  EXPECT_ERRC(mount.lookup("first.pdf"), Errc::not_found);  // learns that the right is missing
  mount.requests();
  ASSERT_OK(write_anew(mount, kRoot, "a.pdf", "x"));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject a.pdf"));
}

TEST_F(NewNamesTest, WithoutTheRightToListANameThatMayBeADirectoryIsAskedFor) {
  Mount mount;
  mount.memory.set_rights({.list = false});
  EXPECT_ERRC(mount.lookup("first.pdf"), Errc::not_found);
  mount.memory.put_text("tenant/", "");
  EXPECT_OK(look(mount, kRoot, "tenant", LookupIntent::open_anew));
}

TEST_F(NewNamesTest, AnEndpointThatDoesNotHonourConditionsIsAsked) {
  Mount mount;
  mount.memory.set_capabilities({.conditional_put = s3::Support::no});
  ASSERT_OK(mount.names(kRoot));
  mount.window_ends();
  mount.requests();
  ASSERT_OK(write_anew(mount, kRoot, "a", "x"));
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 ", "PutObject a"));
}

TEST_F(NewNamesTest, ARenameOfTheOpenFileReplacesWhatHasTheNewName) {
  Mount mount;
  mount.memory.put_text("target", "old", {.user_metadata = {{"file-permissions", "0100600"}}});
  ASSERT_OK(mount.names(kRoot));
  mount.window_ends();
  EXPECT_ERRC(look(mount, kRoot, "temporary", LookupIntent::open_anew), Errc::not_found);
  const auto handle = mount.create(kRoot, "temporary", kAnew);
  ASSERT_OK(handle);
  ASSERT_OK(mount.write(*handle, 0, "new"));
  ASSERT_OK(mount.fs().rename(kRoot, "temporary", kRoot, "target", 0, mount.caller()));
  ASSERT_OK(mount.close(*handle));
  EXPECT_EQ(mount.memory.text("target"), "new");
  EXPECT_EQ(mount.lookup("target")->attributes.posix.mode, 0644u);
}

TEST_F(NewNamesTest, AnOpenFindsWhatAnotherHostHasClosedAMomentAgo) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  for (int i = 0; i < 3; ++i) {
    const std::string name = fmt::format("job{}.pdf", i);
    EXPECT_ERRC(look(mount, kRoot, name, LookupIntent::open), Errc::not_found);
    mount.memory.put_text(name, "x");
    EXPECT_OK(look(mount, kRoot, name, LookupIntent::open)) << "though it was missing a moment ago";
  }
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject job0.pdf", "GetObject job0.pdf", "GetObject job1.pdf", "GetObject job1.pdf",
                                            "GetObject job2.pdf", "GetObject job2.pdf"));
}

TEST_F(NewNamesTest, AnOpenFindsWhatAnotherHostHasClosedInADirectoryThatItMadeForThat) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  for (const char* key : {"tenant/", "tenant/upload/", "tenant/upload/cv.pdf"}) {
    mount.memory.put_text(key, "");
  }
  EXPECT_ERRC(look(mount, kRoot, "tenant", LookupIntent::unknown), Errc::not_found) << "a stat believes what was listed a moment ago";
  mount.requests();
  const auto tenant = look(mount, kRoot, "tenant", LookupIntent::open_below);
  ASSERT_OK(tenant);
  const auto upload = look(mount, tenant->attributes.id, "upload", LookupIntent::open_below);
  ASSERT_OK(upload);
  EXPECT_OK(look(mount, upload->attributes.id, "cv.pdf", LookupIntent::open));
  EXPECT_LE(mount.requests().size(), 7u);
}

TEST_F(NewNamesTest, WhereOthersMakeTheFilesAListingOfAMomentAgoIsNotBelieved) {
  Mount mount;
  mount.memory.put_text("job1.pdf", "1");
  EXPECT_OK(mount.lookup("job1.pdf"));
  mount.memory.put_text("job2.pdf", "2");
  EXPECT_OK(mount.lookup("job2.pdf"));
}

// The kernel comes back after ESTALE from every call, but not after that of a lookup for mkdir(2), mknod(2), symlink(2) or link(2).

TEST_F(NewNamesTest, WhatIsMadeInADirectoryThatIsGoneIsToldSoByTheSecondRequest) {
  Mount mount;
  mount.memory.put_text("dir/file", "x");
  const InodeId dir = mount.lookup("dir")->attributes.id;
  mount.memory.erase("dir/file");
  mount.window_ends();
  ASSERT_OK(mount.names(kRoot));
  EXPECT_ERRC(look(mount, dir, "new", LookupIntent::unknown), Errc::stale);
  EXPECT_ERRC(look(mount, dir, "new", LookupIntent::make), Errc::not_found);
  EXPECT_ERRC(mount.fs().mkdir(dir, "new", 0755, mount.caller()), Errc::stale);
  EXPECT_ERRC(mount.fs().make_node(dir, "new", {.kind = NodeKind::symlink, .target = "x"}, mount.caller()), Errc::stale);
}

TEST_F(NewNamesTest, WhatIsMadeInADirectoryOfOtherPermissionsThanTheKernelKnowsIsToldSoByTheSecondRequest) {
  Mount mount;
  mount.memory.put_text("dir/", "", {.user_metadata = {{"file-permissions", "0040700"}}});
  ASSERT_OK(mount.names(kRoot));
  const InodeId dir = mount.nodes().find(kRoot, "dir").value()->id;
  EXPECT_ERRC(look(mount, dir, "new", LookupIntent::make), Errc::not_found);
  EXPECT_ERRC(mount.fs().mkdir(dir, "new", 0755, mount.caller()), Errc::stale);
  EXPECT_ERRC(look(mount, dir, "new", LookupIntent::make), Errc::not_found);
  EXPECT_OK(mount.fs().mkdir(dir, "new", 0755, mount.caller()));
}

}  // namespace
}  // namespace prefixfs::vfs
