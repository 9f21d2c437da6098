// A listing that was refused is tried again, ever more seldom.

#include "rights.h"

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::ElementsAre;

TEST(RightsTest, ListingIsTriedAgainAfterEverLongerPauses) {
  test::FakeClock clock;
  Rights rights(clock);
  EXPECT_TRUE(rights.may_list());
  EXPECT_FALSE(rights.list_was_refused());
  for (const auto pause : {5s, 30s, 300s, 3600s, 3600s}) {
    rights.learn_list(false);
    EXPECT_FALSE(rights.may_list());
    clock.advance(pause - 1s);
    EXPECT_FALSE(rights.may_list());
    clock.advance(1s);
    EXPECT_TRUE(rights.may_list());
    EXPECT_TRUE(rights.list_was_refused()) << "until S3 says otherwise";
  }
  rights.learn_list(true);
  EXPECT_FALSE(rights.list_was_refused());
  rights.learn_list(false);
  clock.advance(5s);
  EXPECT_TRUE(rights.may_list()) << "it begins anew";
}

TEST(RightsTest, RefusalsOfOneMomentCountOnce) {
  test::FakeClock clock;
  Rights rights(clock);
  for (int lookup = 0; lookup < 10; ++lookup) {
    rights.learn_list(false);
  }
  clock.advance(5s);
  EXPECT_TRUE(rights.may_list());
}

TEST(RightsTest, OnlyTheFirstRefusalAndItsEndAreNews) {
  test::FakeClock clock;
  Rights rights(clock);
  EXPECT_FALSE(rights.learn_list(true));
  EXPECT_TRUE(rights.learn_list(false));
  EXPECT_FALSE(rights.learn_list(false));
  clock.advance(1min);
  EXPECT_FALSE(rights.learn_list(false));
  EXPECT_TRUE(rights.learn_list(true));
  EXPECT_FALSE(rights.learn_list(true));
}

class ListingRefusedTest : public VfsTest {
 protected:
  static Error refusal(const char* s3_code) { return {Errc::denied, "refused", {.http_status = 403, .s3_code = s3_code}}; }
  Mount mount;
};

TEST_F(ListingRefusedTest, ALookupTriesAgainAfterAPause) {
  mount.store.add({.operation = "ListObjectsV2", .count = 1, .error = refusal("AccessDenied")});
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  mount.requests();
  EXPECT_ERRC(mount.lookup("b.pdf"), Errc::not_found);
  EXPECT_THAT(mount.requests(), ElementsAre("GetObject b.pdf"));
  mount.clock.advance(5s);
  EXPECT_ERRC(mount.lookup("c.pdf"), Errc::not_found);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 "));
}

TEST_F(ListingRefusedTest, AnotherRefusalSaysNothingOfTheRight) {
  mount.store.add({.operation = "ListObjectsV2", .count = 1, .error = refusal("AccountProblem")});
  EXPECT_ERRC(mount.lookup("a"), Errc::denied);
  mount.requests();
  EXPECT_ERRC(mount.lookup("a"), Errc::not_found);
  EXPECT_THAT(mount.requests(), ElementsAre("ListObjectsV2 "));
}

TEST_F(ListingRefusedTest, WhatIsKnownStaysUsableWhenTheNextTryIsRefusedToo) {
  mount.memory.put_text("d/", "");
  mount.memory.put_text("d/f", "1");
  mount.memory.put_text("e/", "");
  mount.memory.put_text("gone", "1");
  mount.memory.put_text("theirs", "1");
  mount.memory.set_rights({.list = false});
  for (const char* path : {"d/f", "e", "gone"}) {
    EXPECT_OK(mount.lookup(path)) << path;
  }
  mount.memory.erase("gone");
  const auto after_a_pause = [&](std::string_view path) {
    mount.clock.advance(2h);
    return mount.lookup(path);
  };
  EXPECT_OK(after_a_pause("d"));
  EXPECT_OK(after_a_pause("e"));
  EXPECT_OK(after_a_pause("d/f"));
  EXPECT_ERRC(after_a_pause("gone"), Errc::not_found);
  EXPECT_OK(after_a_pause("theirs"));
  EXPECT_ERRC(after_a_pause("missing"), Errc::not_found);
  mount.clock.advance(2h);
  EXPECT_OK(mount.fs().rmdir(kRoot, "e", mount.caller()));
  mount.clock.advance(2h);
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
}

}  // namespace
}  // namespace prefixfs::vfs
