// acls=keep: what an object's ACL grants to others survives what the mount does to it; otherwise nobody asks.

#include "owed_moves_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

const Grants kPublic{.full_control = "id=\"owner\"", .read = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"", .read_acp = {}, .write_acp = {}};

MountSettings keeping() {
  MountSettings given = small_parts();
  given.settings.keep_acls = true;
  return given;
}

class AclsTest : public VfsTest {
 protected:
  AclsTest() { mount.memory.set_part_bytes_min(16 << 10); }
  void put_public(std::string_view key, std::string_view text) {
    mount.memory.put_text(key, text);
    mount.memory.set_grants(key, kPublic);
  }
  Grants grants(std::string_view key) { return mount.memory.acl(Key(std::string(key)), {}).value_or(Grants{.read = "?"}); }
  Mount mount{keeping()};
};

TEST_F(AclsTest, RewritesAppendsChmodAndRenameKeepThem) {
  for (const int flags : {O_WRONLY, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND}) {
    Mount fresh(keeping());
    const auto is_kept = [&](const char* name) { return fresh.memory.acl(Key(name), {}).value_or(Grants{}) == kPublic; };
    fresh.memory.put_text("a", "0123456789");
    fresh.memory.set_grants("a", kPublic);
    ASSERT_OK(fresh.change_file("a", flags, 0, "abc"));
    EXPECT_TRUE(is_kept("a"));
    ASSERT_OK(fresh.change_file("a", flags, 0, "def"));
    EXPECT_TRUE(is_kept("a"));
    ASSERT_OK(fresh.fs().setattr(fresh.id("a"), std::nullopt, {.mode = 0600}, fresh.caller()));
    EXPECT_TRUE(is_kept("a"));
    ASSERT_OK(fresh.fs().rename(kRoot, "a", kRoot, "b", 0, fresh.caller()));
    EXPECT_TRUE(is_kept("b"));
    ASSERT_OK(fresh.fs().rename(kRoot, "b", kRoot, "c.pdf", 0, fresh.caller()));  // with another type
    EXPECT_TRUE(is_kept("c.pdf"));
  }
}

TEST_F(AclsTest, AreAskedForOnceForEachVersionThatIsReplaced) {
  put_public("a", "text");
  ASSERT_OK(mount.read_file("a"));
  mount.requests();
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "more"));
  EXPECT_THAT(mount.requests(), ElementsAre("GetObjectAcl a", "PutObject a"));
  ASSERT_OK(mount.create_file(kRoot, "new", "text"));
  EXPECT_THAT(mount.requests(), Not(Contains("GetObjectAcl new")));
}

TEST_F(AclsTest, ThoseThatAnotherClientGivesToAVersionOfOursAreKeptToo) {
  ASSERT_OK(mount.create_file(kRoot, "a", "text"));
  mount.memory.set_grants("a", kPublic);
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "more"));
  EXPECT_EQ(grants("a"), kPublic);
  mount.memory.set_grants("a", {});
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, "more"));
  EXPECT_EQ(grants("a"), Grants{}) << "what was taken back does not return";
}

TEST_F(AclsTest, AnUploadOfPartsHasThem) {
  put_public("a", "x");
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, std::string(300'000, 'y')));
  EXPECT_EQ(grants("a"), kPublic);
  ASSERT_OK(mount.change_file("a", O_WRONLY | O_APPEND, 0, std::string(100'000, 'z')));
  EXPECT_EQ(grants("a"), kPublic);
  EXPECT_EQ(mount.memory.text("a")->size(), 400'000u);
}

TEST_F(AclsTest, TheRenameOfADirectoryKeepsThem) {
  put_public("dir/", "");
  put_public("dir/a", "1");
  mount.memory.put_text("dir/b", "2");
  ASSERT_OK(mount.fs().rename(kRoot, "dir", kRoot, "moved", 0, mount.caller()));
  EXPECT_EQ(grants("moved/"), kPublic);
  EXPECT_EQ(grants("moved/a"), kPublic);
  EXPECT_EQ(grants("moved/b"), Grants{});
  ASSERT_OK(mount.fs().setattr(mount.id("moved"), std::nullopt, {.mode = 0700}, mount.caller()));
  EXPECT_EQ(grants("moved/"), kPublic);
}

TEST_F(AclsTest, ThatMayNotBeReadDoNotHinderAWrite) {
  put_public("a", "old");
  mount.memory.set_rights({.acl = false});
  EXPECT_OK(mount.change_file("a", O_WRONLY | O_TRUNC, 0, "new"));
  EXPECT_OK(mount.fs().rename(kRoot, "a", kRoot, "b", 0, mount.caller()));
  EXPECT_EQ(mount.memory.text("b"), "new");
}

TEST_F(AclsTest, AnAnswerThatMakesNoSenseLeavesTheObjectAsItIs) {
  put_public("dir/a", "old");
  mount.memory.put_text("dir/b", "old");
  mount.store.add({.operation = "GetObjectAcl", .key = "dir/a", .count = -1, .error = {Errc::corrupt, "nonsense", {}}});
  EXPECT_ERRC(mount.change_file("dir/a", O_WRONLY | O_TRUNC, 0, "new"), Errc::corrupt);
  EXPECT_THAT(mount.kept(), ElementsAre("new"));
  EXPECT_ERRC(mount.fs().rename(mount.id("dir"), "a", kRoot, "b", 0, mount.caller()), Errc::corrupt);
  EXPECT_ERRC(mount.fs().rename(kRoot, "dir", kRoot, "moved", 0, mount.caller()), Errc::corrupt);
  EXPECT_THAT(mount.memory.keys(), ElementsAre("dir/a", "dir/b"));
  EXPECT_EQ(mount.memory.text("dir/a"), "old");
  EXPECT_EQ(grants("dir/a"), kPublic);
}

TEST_F(AclsTest, AFileThatIsRenamedOverAnotherHasItsOwn) {
  put_public("a", "1");
  mount.memory.put_text("b", "2");
  ASSERT_OK(mount.fs().rename(kRoot, "b", kRoot, "a", 0, mount.caller()));
  EXPECT_EQ(grants("a"), Grants{});
  put_public("c", "3");
  ASSERT_OK(mount.fs().rename(kRoot, "c", kRoot, "a", 0, mount.caller()));
  EXPECT_EQ(grants("a"), kPublic);
}

TEST_F(AclsTest, NobodyAsksUnlessTheyAreToBeKept) {
  Mount off;
  off.memory.put_text("a", "0123456789");
  off.memory.set_grants("a", kPublic);
  ASSERT_OK(off.change_file("a", O_WRONLY, 0, "abc"));
  ASSERT_OK(off.fs().setattr(off.id("a"), std::nullopt, {.mode = 0600}, off.caller()));
  ASSERT_OK(off.fs().rename(kRoot, "a", kRoot, "b", 0, off.caller()));
  EXPECT_EQ(off.store.count("GetObjectAcl"), 0);
  EXPECT_EQ(off.memory.acl(Key("b"), {}).value_or(Grants{.read = "?"}), Grants{});
}

MountSettings keeping_later() {
  MountSettings given = journalled();
  given.settings.keep_acls = true;
  return given;
}

class OwedAclsTest : public OwedMovesTest {
 protected:
  OwedAclsTest() : OwedMovesTest(keeping_later()) {}
  Grants grants(std::string_view key) { return mount.memory.acl(Key(std::string(key)), {}).value_or(Grants{.read = "?"}); }
};

TEST_F(OwedAclsTest, DeliveriesKeepThoseThatAreThereByThen) {
  mount.memory.put_text("written", "text");
  mount.memory.put_text("taken back", "text");
  mount.memory.set_grants("taken back", kPublic);
  outage();
  EXPECT_OK(mount.change_file("written", O_WRONLY | O_APPEND, 0, "more"));
  EXPECT_OK(mount.change_file("taken back", O_WRONLY | O_APPEND, 0, "more"));
  mount.memory.set_grants("written", kPublic);
  mount.memory.set_grants("taken back", {});
  answers();
  delivered();
  EXPECT_EQ(mount.memory.text("written"), "textmore");
  EXPECT_EQ(grants("written"), kPublic);
  EXPECT_EQ(mount.memory.text("taken back"), "textmore");
  EXPECT_EQ(grants("taken back"), Grants{});
}

TEST_F(OwedAclsTest, MovesAndAttributesKeepThem) {
  for (const char* name : {"a", "b", "c"}) {
    mount.memory.put_text(name, "text");
    mount.memory.set_grants(name, kPublic);
  }
  outage();
  EXPECT_OK(rename("a", "renamed"));
  EXPECT_OK(set("b", {.mode = 0600}));
  EXPECT_OK(mount.change_file("c", O_WRONLY | O_APPEND, 0, "more"));
  EXPECT_OK(rename("c", "both"));
  mount.restart();
  answers();
  delivered();
  EXPECT_THAT(mount.memory.keys(), ElementsAre("b", "both", "renamed"));
  EXPECT_EQ(permissions_of("b"), "0100600");
  EXPECT_EQ(mount.memory.text("both"), "textmore");
  for (const char* name : {"renamed", "b", "both"}) {
    EXPECT_EQ(grants(name), kPublic) << name;
  }
}

}  // namespace
}  // namespace prefixfs::vfs
