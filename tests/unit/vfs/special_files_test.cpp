// Symbolic links, fifos, sockets and devices: objects whose metadata say so.

#include <fmt/format.h>

#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

s3::ObjectHeaders headers_with(const UserMetadata& metadata) {
  s3::ObjectHeaders headers;
  headers.user_metadata = metadata;
  return headers;
}

Result<Entry> make(Mount& mount, std::string_view name, const NewNode& node) { return mount.fs().make_node(meta::kRootInode, name, node, mount.caller()); }
Result<Entry> link(Mount& mount, std::string_view name, std::string_view target) {
  return make(mount, name, {.kind = NodeKind::symlink, .mode = 0777, .rdev = 0, .target = target});
}
Result<std::string> target_of(Mount& mount, std::string_view path) { return mount.fs().readlink(mount.id(path), mount.caller()); }
std::string metadata_of(Mount& mount, std::string_view key, const std::string& name) {
  const auto info = mount.memory.info(key);
  const auto found = info ? info->user_metadata.find(name) : UserMetadata::const_iterator();
  return info && found != info->user_metadata.end() ? found->second : "";
}

using SpecialFilesTest = VfsTest;

TEST_F(SpecialFilesTest, ASymlinkIsOnePutWhoseBodyIsTheTarget) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.requests();
  EXPECT_ERRC(mount.lookup("link.pdf"), Errc::not_found);
  const auto made = link(mount, "link.pdf", "dir/file.pdf");
  ASSERT_OK(made);
  EXPECT_EQ(made->attributes.kind, NodeKind::symlink);
  EXPECT_EQ(made->attributes.size, 12u);
  EXPECT_EQ(made->attributes.posix.mode, 0777u);
  EXPECT_EQ(target_of(mount, "link.pdf").value_or("?"), "dir/file.pdf");
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject link.pdf")) << "the target is known";
  EXPECT_EQ(mount.memory.text("link.pdf"), "dir/file.pdf");
  EXPECT_EQ(metadata_of(mount, "link.pdf", "file-permissions"), "0120777");
  EXPECT_NE(mount.memory.info("link.pdf")->content_type, "application/pdf");
  EXPECT_EQ(mount.staged_files(), 1u) << "in the cache of closed files";
}

TEST_F(SpecialFilesTest, AHostThatKnowsNothingAsksOnce) {
  Mount mount;
  ASSERT_OK(link(mount, "link", "a"));
  mount.restart_without_cache();
  mount.requests();
  const auto found = mount.lookup("link");
  ASSERT_OK(found);
  EXPECT_EQ(found->attributes.kind, NodeKind::symlink);
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a");
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 ", "GetObject link"));
  mount.window_ends();
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a");
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject link")) << "which says that it is as it was";
  mount.restart();
  mount.requests();
  EXPECT_EQ(mount.lookup("link")->attributes.id, found->attributes.id);
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a");
}

TEST_F(SpecialFilesTest, FifosSocketsAndDevicesAreEmptyObjects) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  const auto expect = [&](std::string_view name, NodeKind kind, std::uint32_t rdev, const char* permissions) {
    mount.requests();
    ASSERT_OK(make(mount, name, {.kind = kind, .mode = 0640, .rdev = rdev}));
    EXPECT_THAT(mount.requests(), ElementsAre(fmt::format("PutObject {}", name)));
    EXPECT_EQ(mount.memory.text(name), "");
    EXPECT_EQ(metadata_of(mount, name, "file-permissions"), permissions);
    EXPECT_EQ(metadata_of(mount, name, "file-rdev"), rdev == 0 ? "" : std::to_string(rdev));
  };
  expect("fifo", NodeKind::fifo, 0, "0010640");
  expect("socket", NodeKind::socket, 0, "0140640");
  expect("null", NodeKind::character_device, 0x103, "0020640");
  expect("disk", NodeKind::block_device, 0xfff00fff, "0060640");
  mount.restart_without_cache();
  EXPECT_EQ(mount.lookup("fifo")->attributes.kind, NodeKind::fifo);
  EXPECT_EQ(mount.lookup("socket")->attributes.kind, NodeKind::socket);
  const Attributes null = mount.lookup("null")->attributes;
  EXPECT_EQ(null.kind, NodeKind::character_device);
  EXPECT_EQ(null.rdev, 0x103u);
  EXPECT_EQ(null.posix.mode, 0640u);
  EXPECT_EQ(mount.lookup("disk")->attributes.rdev, 0xfff00fffu);
  EXPECT_EQ(mount.lookup("disk")->attributes.kind, NodeKind::block_device);
}

TEST_F(SpecialFilesTest, MknodMakesFilesToo) {
  Mount mount;
  ASSERT_OK(make(mount, "file", {.mode = 0600}));
  EXPECT_EQ(mount.memory.text("file"), "");
  EXPECT_EQ(mount.lookup("file")->attributes.kind, NodeKind::file);
  EXPECT_EQ(mount.lookup("file")->attributes.posix.mode, 0600u);
  ASSERT_OK(mount.change_file("file", O_WRONLY, 0, "text"));
  EXPECT_EQ(mount.memory.text("file"), "text");
}

TEST_F(SpecialFilesTest, WhatOtherProgramsHaveWrittenIsRead) {
  Mount mount;
  mount.memory.put_text("s3fs-link", "a/b", headers_with({{"mode", "41471"}, {"uid", "5"}, {"gid", "6"}, {"mtime", "1"}}));
  mount.memory.put_text("s3fs-fifo", "", headers_with({{"mode", "4516"}}));
  mount.memory.put_text("fsx-link", "../x", headers_with({{"file-permissions", "0120777"}, {"file-owner", "5"}}));
  mount.memory.put_text("geesefs-link", "", headers_with({{"--symlink-target", "a%2Fb%20c%25"}, {"uid", "5"}}));
  mount.memory.put_text("older-geesefs-link", "", headers_with({{"--symlink-target", "a/b%zz"}}));
  mount.memory.put_text("geesefs-device", "", headers_with({{"mode", "8612"}, {"rdev", "259"}}));
  mount.memory.put_text("rclone.rclonelink", "a/b");
  const auto kind = [&](std::string_view name) { return mount.lookup(name)->attributes.kind; };
  EXPECT_EQ(target_of(mount, "s3fs-link").value_or("?"), "a/b");
  EXPECT_EQ(mount.lookup("s3fs-link")->attributes.posix.uid, 5u);
  EXPECT_EQ(kind("s3fs-fifo"), NodeKind::fifo);
  EXPECT_EQ(mount.lookup("s3fs-fifo")->attributes.posix.mode, 0644u);
  EXPECT_EQ(target_of(mount, "fsx-link").value_or("?"), "../x");
  EXPECT_EQ(target_of(mount, "geesefs-link").value_or("?"), "a/b c%");
  EXPECT_EQ(mount.lookup("geesefs-link")->attributes.size, 6u);
  EXPECT_EQ(target_of(mount, "older-geesefs-link").value_or("?"), "a/b%zz");
  EXPECT_EQ(kind("geesefs-device"), NodeKind::character_device);
  EXPECT_EQ(mount.lookup("geesefs-device")->attributes.rdev, 259u);
  EXPECT_EQ(kind("rclone.rclonelink"), NodeKind::file);
}

TEST_F(SpecialFilesTest, ATypeThatCannotBeIsNone) {
  Mount mount;
  const std::string nul("a\0b", 3);
  const std::vector<std::tuple<std::string, std::string, std::string>> objects{
      {"empty-link", "", "0120777"},      {"nul-link", nul, "0120777"},  {"long-link", std::string(4096, 'x'), "0120777"},
      {"full-fifo", "bytes", "0010644"},  {"directory", "", "0040755"},  {"full-device", "bytes", "0020644"},
      {"no-type", "bytes", "0170000"},    {"no-mode", "x", "9999999"}};
  for (const auto& [name, text, permissions] : objects) {
    mount.memory.put_text(name, text, headers_with({{"file-permissions", permissions}}));
    EXPECT_EQ(mount.lookup(name)->attributes.kind, NodeKind::file) << name;
    EXPECT_EQ(mount.read_file(name).value_or("?"), text) << name;
    EXPECT_ERRC(mount.fs().readlink(mount.id(name), mount.caller()), Errc::invalid);
  }
}

TEST_F(SpecialFilesTest, TargetsHaveBounds) {
  Mount mount;
  const std::string longest(4095, 't');
  ASSERT_OK(link(mount, "longest", longest));
  EXPECT_ERRC(link(mount, "longer", longest + "t"), Errc::name_too_long);
  EXPECT_ERRC(link(mount, "none", ""), Errc::invalid);
  EXPECT_ERRC(mount.lookup("longer"), Errc::not_found);
  mount.restart_without_cache();
  EXPECT_EQ(target_of(mount, "longest").value_or("?"), longest);
}

TEST_F(SpecialFilesTest, ANameThatIsTakenIsNotReplaced) {
  Mount mount;
  ASSERT_OK(mount.names(kRoot));
  mount.memory.put_text("theirs", "bytes");  // since the listing
  EXPECT_ERRC(link(mount, "theirs", "x"), Errc::exists);
  EXPECT_EQ(mount.memory.text("theirs"), "bytes");
  EXPECT_EQ(mount.lookup("theirs")->attributes.kind, NodeKind::file);
  EXPECT_ERRC(link(mount, "theirs", "x"), Errc::exists);
  EXPECT_THAT(mount.kept(), IsEmpty());
  ASSERT_OK(link(mount, "mine", "x"));
  EXPECT_ERRC(link(mount, "mine", "y"), Errc::exists);
  EXPECT_ERRC(make(mount, "mine", {.kind = NodeKind::fifo}), Errc::exists);
  EXPECT_ERRC(mount.create(kRoot, "mine", O_WRONLY | O_EXCL), Errc::exists);
}

TEST_F(SpecialFilesTest, WithoutMetadataOnlyFilesCanBeMade) {
  MountSettings given;
  given.settings.dialect = MetadataDialect::off;
  Mount mount(given);
  EXPECT_ERRC(link(mount, "link", "x"), Errc::not_permitted);
  EXPECT_ERRC(make(mount, "fifo", {.kind = NodeKind::fifo}), Errc::not_permitted);
  EXPECT_OK(make(mount, "file", {}));
  mount.memory.put_text("link", "x", headers_with({{"file-permissions", "0120777"}}));
  mount.window_ends();
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::file);
}

TEST_F(SpecialFilesTest, TheDialectOfS3fs) {
  MountSettings given;
  given.settings.dialect = MetadataDialect::s3fs;
  Mount mount(given);
  ASSERT_OK(link(mount, "link", "x"));
  ASSERT_OK(make(mount, "null", {.kind = NodeKind::character_device, .mode = 0666, .rdev = 0x103}));
  EXPECT_EQ(metadata_of(mount, "link", "mode"), std::to_string(0120777));
  EXPECT_EQ(metadata_of(mount, "null", "mode"), std::to_string(0020666));
  EXPECT_EQ(metadata_of(mount, "null", "rdev"), "259");
  mount.restart_without_cache();
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "x");
  EXPECT_EQ(mount.lookup("null")->attributes.rdev, 259u);
}

TEST_F(SpecialFilesTest, RenameUnlinkAndChownLeaveItWhatItIs) {
  Mount mount;
  ASSERT_OK(link(mount, "link", "x"));
  ASSERT_OK(make(mount, "null", {.kind = NodeKind::character_device, .mode = 0666, .rdev = 0x103}));
  ASSERT_OK(mount.fs().rename(kRoot, "link", kRoot, "link.pdf", 0, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("link.pdf"), {}, {.uid = 7, .gid = 8}, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("null"), {}, {.mtime_ns = 5}, mount.caller()));
  EXPECT_EQ(mount.memory.text("link.pdf"), "x");
  EXPECT_EQ(metadata_of(mount, "link.pdf", "file-owner"), "7");
  EXPECT_EQ(metadata_of(mount, "null", "file-rdev"), "259");
  mount.restart_without_cache();
  EXPECT_EQ(target_of(mount, "link.pdf").value_or("?"), "x");
  EXPECT_EQ(mount.lookup("null")->attributes.kind, NodeKind::character_device);
  EXPECT_EQ(mount.lookup("null")->attributes.posix.mtime_ns, 5);
  ASSERT_OK(mount.fs().unlink(kRoot, "link.pdf", mount.caller()));
  EXPECT_ERRC(mount.lookup("link.pdf"), Errc::not_found);
  EXPECT_EQ(mount.memory.text("link.pdf"), std::nullopt);
}

TEST_F(SpecialFilesTest, AGeesefsLinkKeepsItsTargetWhenItIsChanged) {
  Mount mount;
  mount.memory.put_text("link", "", headers_with({{"--symlink-target", "a%2Fb"}}));
  ASSERT_OK(mount.fs().setattr(mount.id("link"), {}, {.uid = 7}, mount.caller()));
  mount.restart_without_cache();
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a/b");
  EXPECT_EQ(mount.lookup("link")->attributes.posix.uid, 7u);
}

/// A listing shows the link of another client as a file; ls has just read the directory.
class ListedLinkTest : public VfsTest {
 protected:
  InodeId listed() {
    mount.memory.put_text("link", "target", headers_with({{"file-permissions", "0120777"}}));
    EXPECT_OK(mount.names(kRoot));
    return mount.id("link");
  }
  Mount mount;
};

TEST_F(ListedLinkTest, IsAFileUntilItIsAskedForAlone) {
  const InodeId before = listed();
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::file);
  mount.clock.advance(10s);
  const auto now = mount.lookup("link");
  ASSERT_OK(now);
  EXPECT_EQ(now->attributes.kind, NodeKind::symlink);
  EXPECT_NE(now->attributes.id, before) << "an inode never changes its kind";
  EXPECT_ERRC(mount.fs().getattr(before, mount.caller()), Errc::stale) << "so that the kernel looks again";
  ASSERT_OK(mount.names(kRoot));
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::symlink) << "a listing does not undo that";
}

TEST_F(ListedLinkTest, OpenFindsOut) {
  EXPECT_ERRC(mount.fs().open(listed(), O_RDONLY, mount.caller()), Errc::stale);
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::symlink);
}

TEST_F(ListedLinkTest, ChownFindsOut) {
  EXPECT_ERRC(mount.fs().setattr(listed(), {}, {.uid = 7}, mount.caller()), Errc::stale);
  const auto found = mount.lookup("link");
  EXPECT_EQ(found->attributes.kind, NodeKind::symlink);
  ASSERT_OK(mount.fs().setattr(found->attributes.id, {}, {.uid = 7}, mount.caller()));
  EXPECT_EQ(metadata_of(mount, "link", "file-permissions"), "0120777");
  EXPECT_EQ(metadata_of(mount, "link", "file-owner"), "7");
}

TEST_F(ListedLinkTest, RenameTakesItAsItIs) {
  listed();
  ASSERT_OK(mount.fs().rename(kRoot, "link", kRoot, "link.pdf", 0, mount.caller()));
  mount.clock.advance(10s);
  EXPECT_EQ(target_of(mount, "link.pdf").value_or("?"), "target");
}

TEST_F(ListedLinkTest, ALinkThatSomebodyHasReplacedByAFileIsAFile) {
  listed();
  mount.clock.advance(10s);
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::symlink);
  mount.memory.put_text("link", "now it is a file");
  mount.clock.advance(10s);
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::file);
  EXPECT_EQ(mount.read_file("link").value_or("?"), "now it is a file");
  mount.memory.put_text("link", "now it is a file", headers_with({{"file-permissions", "0120777"}}));  // of the same ETag
  mount.clock.advance(10s);
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "now it is a file");
}

class OwedSpecialFilesTest : public WriteBackTest {};

TEST_F(OwedSpecialFilesTest, AreAcknowledgedByTheJournalAndOutliveARestart) {
  outage_is_known();
  ASSERT_OK(link(mount, "link", "a/b"));
  ASSERT_OK(make(mount, "null", {.kind = NodeKind::character_device, .mode = 0666, .rdev = 0x103}));
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a/b");
  EXPECT_EQ(mount.memory.text("link"), std::nullopt);
  mount.restart_without_cache();
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a/b");
  EXPECT_EQ(mount.lookup("link")->attributes.kind, NodeKind::symlink);
  EXPECT_EQ(mount.lookup("null")->attributes.rdev, 0x103u);
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("link"), "a/b");
  EXPECT_EQ(metadata_of(mount, "link", "file-permissions"), "0120777");
  EXPECT_EQ(metadata_of(mount, "null", "file-permissions"), "0020666");
  EXPECT_EQ(metadata_of(mount, "null", "file-rdev"), "259");
}

TEST_F(OwedSpecialFilesTest, ARenameBeforeTheUploadIsOnePut) {
  outage_is_known();
  ASSERT_OK(link(mount, "link.tmp", "a/b"));
  ASSERT_OK(mount.fs().rename(kRoot, "link.tmp", kRoot, "link", 0, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("link"), {}, {.uid = 7}, mount.caller()));
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("first", "link"));
  EXPECT_EQ(mount.memory.text("link"), "a/b");
  EXPECT_EQ(metadata_of(mount, "link", "file-owner"), "7");
  EXPECT_EQ(target_of(mount, "link").value_or("?"), "a/b");
}

TEST_F(OwedSpecialFilesTest, AMoveOfAStoredOneOutlivesALostCache) {
  ASSERT_OK(link(mount, "link", "a/b"));
  ASSERT_OK(make(mount, "null", {.kind = NodeKind::block_device, .mode = 0666, .rdev = 0x103}));
  answers();
  delivered();
  outage_is_known();
  ASSERT_OK(mount.fs().rename(kRoot, "link", kRoot, "moved", 0, mount.caller()));
  ASSERT_OK(mount.fs().setattr(mount.id("null"), {}, {.atime_ns = 9}, mount.caller()));
  mount.restart_without_cache();
  EXPECT_EQ(mount.lookup("moved")->attributes.kind, NodeKind::symlink);
  EXPECT_EQ(target_of(mount, "moved").value_or("?"), "a/b") << "read under the name that S3 has it";
  EXPECT_EQ(mount.lookup("null")->attributes.rdev, 0x103u);
  EXPECT_EQ(mount.lookup("null")->attributes.posix.atime_ns, 9);
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("moved"), "a/b");
  EXPECT_EQ(metadata_of(mount, "moved", "file-permissions"), "0120777");
  EXPECT_EQ(metadata_of(mount, "null", "file-atime"), "9ns");
  EXPECT_EQ(metadata_of(mount, "null", "file-permissions"), "0060666");
}

TEST_F(OwedSpecialFilesTest, WhatAnotherClientHasMadeMeanwhileStays) {
  outage_is_known();
  ASSERT_OK(link(mount, "link", "a/b"));
  mount.memory.put_text("link", "theirs");
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("link"), "theirs");
  EXPECT_THAT(mount.kept(), ElementsAre("a/b"));
}

class SpecialFilesInOutageTest : public WriteBackTest {
 protected:
  SpecialFilesInOutageTest() : WriteBackTest([] {
      MountSettings given;
      given.settings.queue_in_outage = true;
      return given;
    }()) {}
};

TEST_F(SpecialFilesInOutageTest, AreQueuedAsNewDirectoriesAre) {
  ASSERT_OK(mount.names(kRoot));
  outage();
  ASSERT_OK(link(mount, "link", "a/b"));
  ASSERT_OK(make(mount, "fifo", {.kind = NodeKind::fifo, .mode = 0600}));
  EXPECT_FALSE(make(mount, "file", {})) << "O_EXCL of a file is told by S3 alone";
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("link"), "a/b");
  EXPECT_EQ(metadata_of(mount, "fifo", "file-permissions"), "0010600");
}

}  // namespace
}  // namespace prefixfs::vfs
