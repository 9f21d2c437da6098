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
