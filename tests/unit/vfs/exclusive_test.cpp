// excl=open: O_EXCL is settled between hosts before open() returns.

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MountSettings exclusive_at_open() {
  MountSettings given;
  given.settings.exclusive_at_open = true;
  return given;
}

constexpr int kExclusive = O_WRONLY | O_EXCL;

class ExclusiveAtOpenTest : public VfsTest {
 protected:
  Mount mount{exclusive_at_open()};
};

TEST_F(ExclusiveAtOpenTest, OpenMakesTheNameAndCloseReplacesThatVersion) {
  static_cast<void>(mount.names(kRoot));
  mount.requests();
  const auto file = mount.create(kRoot, "lock", kExclusive, 0600);
  ASSERT_OK(file);
  EXPECT_EQ(mount.memory.text("lock"), "");
  EXPECT_OK(mount.write(*file, 0, "mine"));
  EXPECT_OK(mount.close(*file));
  EXPECT_EQ(mount.memory.text("lock"), "mine");
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject lock", "PutObject lock"));
  EXPECT_EQ(mount.memory.info("lock")->user_metadata.at("file-permissions"), "0100600");
}

TEST_F(ExclusiveAtOpenTest, AnEmptyFileIsOneRequest) {
  static_cast<void>(mount.names(kRoot));
  mount.requests();
  const auto file = mount.create(kRoot, "lock", kExclusive);
  ASSERT_OK(file);
  EXPECT_OK(mount.close(*file));
  EXPECT_THAT(mount.requests(), ElementsAre("PutObject lock"));
  EXPECT_EQ(*mount.read_file("lock"), "");
}

TEST_F(ExclusiveAtOpenTest, WhoComesSecondIsToldAtOpen) {
  static_cast<void>(mount.names(kRoot));
  mount.memory.put_text("lock", "theirs");
  EXPECT_ERRC(mount.create(kRoot, "lock", kExclusive), Errc::exists);
  EXPECT_EQ(mount.memory.text("lock"), "theirs");
  EXPECT_EQ(*mount.read_file("lock"), "theirs");
  EXPECT_THAT(mount.kept(), IsEmpty());
  EXPECT_EQ(mount.staged_files(), 1u) << "what was read";
}

TEST_F(ExclusiveAtOpenTest, WithoutAnAnswerNothingIsThere) {
  static_cast<void>(mount.names(kRoot));
  mount.store.add({.operation = "PutObject", .count = 1});
  EXPECT_ERRC(mount.create(kRoot, "lock", kExclusive), Errc::unavailable);
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("lock"), Errc::not_found);
  EXPECT_OK(mount.create(kRoot, "lock", kExclusive));
  EXPECT_THAT(mount.kept(), IsEmpty());
}

TEST_F(ExclusiveAtOpenTest, AnotherHostsChangeBetweenOpenAndCloseIsAConflict) {
  const auto file = mount.create(kRoot, "lock", kExclusive);
  ASSERT_OK(file);
  EXPECT_OK(mount.write(*file, 0, "mine"));
  mount.memory.put_text("lock", "theirs");
  EXPECT_ERRC(mount.close(*file), Errc::stale);
  EXPECT_EQ(mount.memory.text("lock"), "theirs");
  EXPECT_THAT(mount.kept(), ElementsAre("mine"));
}

TEST_F(ExclusiveAtOpenTest, WhatHasLostIsKeptAsSoonAsAProgramIsToldAlsoWhileAnotherHasItOpen) {
  const auto file = mount.create(kRoot, "lock", kExclusive);
  const auto other = mount.open("lock", O_RDWR);
  ASSERT_OK(file);
  ASSERT_OK(other);
  EXPECT_OK(mount.write(*file, 0, "mine"));
  mount.memory.put_text("lock", "theirs");
  EXPECT_ERRC(mount.close(*file), Errc::stale);
  EXPECT_THAT(mount.kept(), ElementsAre("mine"));
  EXPECT_EQ(*mount.read(*other), "mine");
  EXPECT_ERRC(mount.write(*other, 0, "more"), Errc::stale);
  mount.die();
  EXPECT_THAT(mount.kept(), ElementsAre("mine"));
}

}  // namespace
}  // namespace prefixfs::vfs
