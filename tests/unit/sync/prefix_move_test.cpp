#include "prefixfs/sync/prefix_move.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/store_calls.h"

namespace prefixfs::sync {
namespace {

using test::code_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PrefixMoveTest : public ::testing::Test {
 protected:
  PrefixMove move(const PrefixMoveOptions& options = {}) { return {store, "a/", "b/", options, progress, *log}; }
  void put_three() {
    memory.put_text("a/", "");
    memory.put_text("a/one", "1");
    memory.put_text("a/sub/two", "22");
    memory.put_text("ab", "not below");
  }

  test::FakeClock clock;
  test::MemoryStore memory{clock};
  test::FaultyStore store{memory};
  std::unique_ptr<Log> log = make_null_log();
  MoveProgress progress;
};

TEST_F(PrefixMoveTest, EachObjectIsOneCopyAndAllGoInOneRequest) {
  put_three();
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  EXPECT_EQ(progress.objects, 3u);
  ASSERT_TRUE(moving.copy({}));
  EXPECT_EQ(progress.copied, 3u);
  EXPECT_THAT(memory.keys(), ElementsAre("a/", "a/one", "a/sub/two", "ab", "b/", "b/one", "b/sub/two"));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_THAT(memory.keys(), ElementsAre("ab", "b/", "b/one", "b/sub/two"));
  EXPECT_EQ(store.count("ListObjectsV2"), 1);
  EXPECT_EQ(store.count("CopyObject"), 3);
  EXPECT_EQ(store.count("DeleteObjects"), 1);
  EXPECT_EQ(store.count(), 5);
}

TEST_F(PrefixMoveTest, WhatWasCopiedIsTakenBack) {
  put_three();
  store.add({.operation = "CopyObject", .key = "b/sub/two", .error = {Errc::denied, "no", {}}});
  auto moving = move({.threads = 1});
  ASSERT_TRUE(moving.list(false, {}));
  EXPECT_EQ(code_of(moving.copy({})), "denied");
  ASSERT_TRUE(moving.remove_copies({}));
  EXPECT_THAT(memory.keys(), ElementsAre("a/", "a/one", "a/sub/two", "ab"));
}

TEST_F(PrefixMoveTest, AnotherAttemptCopiesOnlyWhatIsMissing) {
  put_three();
  memory.put_text("b/one", "1");
  auto moving = move();
  ASSERT_TRUE(moving.list(true, {}));
  EXPECT_EQ(progress.copied, 1u);
  ASSERT_TRUE(moving.copy({}));
  EXPECT_EQ(store.count("CopyObject"), 2);
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_THAT(memory.keys(), ElementsAre("ab", "b/", "b/one", "b/sub/two"));
}

TEST_F(PrefixMoveTest, AnotherAttemptRemovesOnlyWhatHasACopy) {
  put_three();
  memory.put_text("b/one", "1");
  auto moving = move();
  ASSERT_TRUE(moving.list(true, {}));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_THAT(memory.keys(), ElementsAre("a/", "a/sub/two", "ab", "b/one"));
}

TEST_F(PrefixMoveTest, AnotherClientsObjectAtTheDestinationStays) {
  put_three();
  memory.put_text("b/one", "theirs");
  auto moving = move();
  ASSERT_TRUE(moving.list(true, {}));
  EXPECT_EQ(code_of(moving.copy({})), "exists");
  ASSERT_TRUE(moving.remove_copies({}));
  EXPECT_EQ(memory.text("b/one"), "theirs");
}

TEST_F(PrefixMoveTest, ANameThatAnotherClientMakesMeanwhileIsNotReplaced) {
  memory.set_capabilities({.conditional_copy = s3::Support::yes});
  put_three();
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  memory.put_text("b/one", "theirs");
  EXPECT_EQ(code_of(moving.copy({})), "exists");
  EXPECT_EQ(memory.text("b/one"), "theirs");
}

TEST_F(PrefixMoveTest, ACopyThatADeadProcessHasAskedForAndThatComesLateIsOurs) {
  memory.set_capabilities({.conditional_copy = s3::Support::yes});
  put_three();
  auto moving = move();
  ASSERT_TRUE(moving.list(true, {}));
  memory.put_text("b/one", "1");
  ASSERT_TRUE(moving.copy({}));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_THAT(memory.keys(), ElementsAre("ab", "b/", "b/one", "b/sub/two"));
}

TEST_F(PrefixMoveTest, AVersionThatComesMeanwhileIsTheOneThatIsMoved) {
  put_three();
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  memory.put_text("a/one", "newer");
  memory.erase("a/sub/two");
  ASSERT_TRUE(moving.copy({}));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_EQ(memory.text("b/one"), "newer");
  EXPECT_THAT(memory.keys(), ElementsAre("ab", "b/", "b/one"));
}

TEST_F(PrefixMoveTest, AVersionThatComesAfterItsCopyStays) {
  put_three();
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  ASSERT_TRUE(moving.copy({}));
  memory.put_text("a/one", "newer");
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_EQ(memory.text("a/one"), "newer");
  EXPECT_EQ(memory.text("b/one"), "1");
}

TEST_F(PrefixMoveTest, LimitsAreToldBeforeAnythingIsCopied) {
  put_three();
  auto many = move({.objects_max = 2});
  EXPECT_EQ(code_of(many.list(false, {})), "unsupported");
  auto deep = move({.key_bytes_max = 8});
  EXPECT_EQ(code_of(deep.list(false, {})), "name_too_long");
  EXPECT_EQ(store.count("CopyObject"), 0);
}

TEST_F(PrefixMoveTest, TheMarkerOfAnEmptyDirectoryIsReplacedWhenAllElseIsThere) {
  memory.set_capabilities({.conditional_copy = s3::Support::yes});
  put_three();
  memory.put_text("b/", "", {.user_metadata = {{"file-permissions", "0040700"}}});
  store.add({.operation = "CopyObject", .key = "b/one", .error = {Errc::denied, "no", {}}});
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  EXPECT_EQ(code_of(moving.copy({})), "denied");
  ASSERT_TRUE(moving.remove_copies({}));
  EXPECT_EQ(memory.info("b/")->user_metadata.size(), 1u);
  ASSERT_TRUE(moving.list(true, {}));
  ASSERT_TRUE(moving.copy({}));
  EXPECT_TRUE(memory.info("b/")->user_metadata.empty());
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_THAT(memory.keys(), ElementsAre("ab", "b/", "b/one", "b/sub/two"));
}

TEST_F(PrefixMoveTest, AMarkerThatTheServerDoesNotCopyIsWrittenAnew) {
  memory.put_text("a/sub/", "", {.user_metadata = {{"file-permissions", "0040700"}}});
  store.add({.operation = "CopyObject", .key = "b/sub/", .error = {Errc::invalid, "a directory", {}}});
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  ASSERT_TRUE(moving.copy({}));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_EQ(memory.info("b/sub/")->user_metadata.at("file-permissions"), "0040700");
  EXPECT_THAT(memory.keys(), ElementsAre("b/sub/"));
}

TEST_F(PrefixMoveTest, ThousandsGoInBatches) {
  for (int i = 0; i < 2500; ++i) {
    memory.put_text("a/" + std::to_string(i), "x");
  }
  auto moving = move();
  ASSERT_TRUE(moving.list(false, {}));
  ASSERT_TRUE(moving.copy({}));
  ASSERT_TRUE(moving.remove_sources({}));
  EXPECT_EQ(store.count("ListObjectsV2"), 3);
  EXPECT_EQ(store.count("CopyObject"), 2500);
  EXPECT_EQ(store.count("DeleteObjects"), 3);
  EXPECT_EQ(memory.keys().size(), 2500u);
  EXPECT_TRUE(memory.keys().front().starts_with("b/"));
}

}  // namespace
}  // namespace prefixfs::sync
