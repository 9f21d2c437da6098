// commit=journal: renames that other changes wait behind.

#include "owed_moves_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;

/// `a` is renamed to `b` and made anew, and S3 has heard of neither.
class OwedMoveOrderTest : public OwedMovesTest {
 protected:
  void SetUp() override {
    OwedMovesTest::SetUp();
    mount.memory.put_text("a", "old");
    mount.memory.put_text("c", "other");
    static_cast<void>(mount.names(kRoot));
    outage_is_known();
    ASSERT_OK(rename("a", "b"));
  }
  void make_anew() {
    const auto handle = mount.create(kRoot, "a", O_WRONLY | O_APPEND);
    ASSERT_OK(handle);
    ASSERT_OK(mount.write(*handle, 0, "new"));
    ASSERT_OK(mount.close(*handle));
  }
  void settle(bool restarted) {
    if (restarted) {
      mount.restart();
    }
    answers();
    delivered();
    mount.window_ends();
  }
};

class OwedMoveOrderAndRestartTest : public OwedMoveOrderTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(, OwedMoveOrderAndRestartTest, ::testing::Bool());

TEST_P(OwedMoveOrderAndRestartTest, TwoNamesAreSwapped) {
  ASSERT_OK(rename("c", "a"));
  ASSERT_OK(rename("b", "c"));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "other");
  EXPECT_EQ(mount.memory.text("c"), "old");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a", "c", "first"));
}

TEST_P(OwedMoveOrderAndRestartTest, TheRenamedFileIsReplaced) {
  make_anew();
  ASSERT_OK(rename("c", "b"));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_EQ(mount.memory.text("b"), "other");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a", "b", "first"));
  EXPECT_TRUE(mount.kept().empty());
}

TEST_P(OwedMoveOrderAndRestartTest, TheRenamedFileIsUnlinked) {
  make_anew();
  ASSERT_OK(unlink("b"));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a", "c", "first"));
  EXPECT_TRUE(mount.kept().empty());
}

TEST_P(OwedMoveOrderAndRestartTest, TheRenamedFileIsRenamedAgain) {
  make_anew();
  ASSERT_OK(rename("b", "d"));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_EQ(mount.memory.text("d"), "old");
  EXPECT_THAT(mount.memory.keys(), ElementsAre("a", "c", "d", "first"));
}

TEST_P(OwedMoveOrderAndRestartTest, TheRenamedFileGetsAnotherMode) {
  make_anew();
  ASSERT_OK(set("b", {.mode = 0600}));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_EQ(mount.memory.text("b"), "old");
  EXPECT_EQ(permissions_of("b"), "0100600");
}

TEST_P(OwedMoveOrderAndRestartTest, TheRenamedFileIsWritten) {
  make_anew();
  ASSERT_OK(mount.change_file("b", O_WRONLY | O_TRUNC, 0, "text"));
  settle(GetParam());
  EXPECT_EQ(mount.memory.text("a"), "new");
  EXPECT_EQ(mount.memory.text("b"), "text");
}

}  // namespace
}  // namespace prefixfs::vfs
