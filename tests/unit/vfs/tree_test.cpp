#include "tree.h"

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

class TreeTest : public VfsTest {
 protected:
  InodeId put(InodeId parent, std::string name, NodeKind kind) {
    return mount.nodes().put({.parent = parent, .name = std::move(name), .kind = kind, .checked_at = mount.clock.now()})->id;
  }

  Mount mount;
  Tree tree{mount.nodes()};
};

TEST_F(TreeTest, KeysOfNames) {
  const InodeId a = put(kRoot, "a", NodeKind::directory);
  const InodeId b = put(a, "b", NodeKind::directory);
  EXPECT_EQ(tree.directory_prefix(kRoot).value_or("?"), "");
  EXPECT_EQ(tree.directory_prefix(b).value_or("?"), "a/b/");
  EXPECT_EQ(tree.file_key(b, "c.txt")->str(), "a/b/c.txt");
  EXPECT_EQ(tree.file_key(kRoot, "c.txt")->str(), "c.txt");
  EXPECT_EQ(tree.marker_key(kRoot, "a")->str(), "a/");
  EXPECT_EQ(tree.key_of(*tree.node(b))->str(), "a/b/");
}

TEST_F(TreeTest, KeysOfNamesThatStandForAnotherPart) {
  const InodeId empty = put(kRoot, "@s3-empty", NodeKind::directory);
  EXPECT_EQ(tree.directory_prefix(empty).value_or("?"), "/");
  EXPECT_EQ(tree.marker_key(kRoot, "@s3-empty")->str(), "/");
  EXPECT_EQ(tree.file_key(empty, "@s3-content")->str(), "/");
  EXPECT_EQ(tree.file_key(empty, "@s3-object-a")->str(), "/a");
  EXPECT_ERRC(tree.file_key(kRoot, "@s3-empty"), Errc::not_found);
  EXPECT_ERRC(tree.marker_key(kRoot, "@s3-content"), Errc::not_found);
  EXPECT_ERRC(tree.marker_key(kRoot, "@s3-object-a"), Errc::not_found);
  EXPECT_EQ(tree.directory_beside("@s3-object-@s3-dotdot"), "@s3-dotdot");
  EXPECT_EQ(tree.directory_beside("@s3-dotdot"), std::nullopt);
}

TEST_F(TreeTest, AShortenedNameIsRememberedOnceItWasSeen) {
  const std::string part(300, 'x');
  const std::string name = shown_name(part);
  EXPECT_ERRC(tree.file_key(kRoot, name), Errc::not_found);
  EXPECT_EQ(tree.name_of(part).value_or("?"), name);
  EXPECT_EQ(tree.file_key(kRoot, name)->str(), part);
  EXPECT_EQ(tree.name_of(part, Shown::file_beside_directory).value_or("?"), shown_name(part, Shown::file_beside_directory));
  EXPECT_EQ(tree.directory_beside(shown_name(part, Shown::file_beside_directory)), name);
}

TEST_F(TreeTest, TheNameOfAKeysLastPart) {
  put(kRoot, "d", NodeKind::directory);
  EXPECT_EQ(tree.name_in(kRoot, "d", true).value_or("?"), "@s3-object-d");
  EXPECT_EQ(tree.name_in(kRoot, "d", false).value_or("?"), "d");
  EXPECT_EQ(tree.name_in(kRoot, "f", true).value_or("?"), "f");
  EXPECT_EQ(tree.name_in(kRoot, "", true).value_or("?"), "@s3-content");
  EXPECT_EQ(tree.name_in(kRoot, "", false).value_or("?"), "@s3-empty");
}

TEST_F(TreeTest, UnknownInodesAreStale) {
  EXPECT_ERRC(tree.node(12345), Errc::stale);
  EXPECT_ERRC(tree.directory_prefix(12345), Errc::stale);
  EXPECT_ERRC(tree.file_key(12345, "x"), Errc::stale);
}

TEST_F(TreeTest, FilesAreNoDirectories) {
  const InodeId file = put(kRoot, "f", NodeKind::file);
  EXPECT_ERRC(tree.directory(file), Errc::not_dir);
  EXPECT_OK(tree.directory(kRoot));
}

TEST_F(TreeTest, DoubtMakesARecordOld) {
  const InodeId file = put(kRoot, "f", NodeKind::file);
  tree.doubt(file);
  EXPECT_EQ(tree.node(file)->checked_at, WallTime{});
  tree.doubt(12345);
  tree.doubt(kRoot);
}

}  // namespace
}  // namespace prefixfs::vfs
