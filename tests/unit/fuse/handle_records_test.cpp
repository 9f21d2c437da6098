#include "handle_records.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "prefixfs/fuse/mount.h"

namespace prefixfs::fuse {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class HandleRecordsTest : public testing::Test {
 protected:
  HandleRecords records() {
    return HandleRecords(std::span(table), used, [this](vfs::InodeId inode) -> std::optional<vfs::OpenState> {
      const auto found = state.find(inode);
      return found == state.end() ? std::nullopt : std::optional(found->second);
    });
  }
  static vfs::OpenState stored(const std::string& version) { return {.version = ETag::from_wire(version), .unstored = false}; }
  static vfs::OpenState unstored(const std::string& version) { return {.version = ETag::from_wire(version), .unstored = true}; }

  HandleRecord table[8]{};
  std::atomic<std::uint64_t> used{0};
  std::map<vfs::InodeId, vfs::OpenState> state;
};

TEST_F(HandleRecordsTest, TheNextWorkerFindsWhatIsOpen) {
  state[5] = stored("v1");
  {
    HandleRecords worker(records());
    worker.opened(1, 5, O_RDWR | O_APPEND, 20);
    worker.opened(2, 5, O_RDONLY, 22);
    worker.opened_directory(3, 6, 24);
    worker.closed(2);
  }
  HandleRecords next(records());
  const auto files = next.files();
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].handle, 1u);
  EXPECT_EQ(files[0].inode, 5u);
  EXPECT_EQ(files[0].flags, O_RDWR | O_APPEND);
  EXPECT_EQ(files[0].state.version.str(), "v1");
  EXPECT_FALSE(files[0].state.unstored);
  EXPECT_THAT(next.directories(), testing::ElementsAre(std::pair(3u, 6u)));
}

TEST_F(HandleRecordsTest, TheVersionIsThatOfTheLastChange) {
  state[5] = stored("v1");
  HandleRecords worker(records());
  worker.opened(1, 5, O_RDWR, 20);
  state[5] = unstored("v1");
  worker.written(5);
  EXPECT_TRUE(worker.any_unstored());
  EXPECT_TRUE(worker.is_unstored(5));
  state[5] = stored("v2");
  worker.changed(5);
  EXPECT_FALSE(worker.any_unstored());
  state[5] = stored("v3");
  worker.names_changed();
  EXPECT_EQ(worker.files()[0].state.version.str(), "v3");
  state[5].owed = true;
  worker.changed(5);
  EXPECT_TRUE(worker.files()[0].state.owed);
  EXPECT_FALSE(worker.any_unstored());
}

TEST_F(HandleRecordsTest, WhatGoesOnAfterADeathIsSeenAsBefore) {
  state[5] = stored("v1");
  {
    HandleRecords worker(records());
    worker.opened(1, 5, O_WRONLY, 20);
    state[5] = unstored("v1");
    worker.written(5);
  }
  HandleRecords next(records());
  ASSERT_THAT(next.files(), SizeIs(1));
  EXPECT_TRUE(next.files()[0].state.unstored);
  EXPECT_FALSE(next.files()[0].dead);
  next.changed(5);
  EXPECT_TRUE(next.any_unstored()) << "an upgrade waits for it";
  state[5] = stored("v2");
  next.changed(5);
  EXPECT_FALSE(next.any_unstored());
  HandleRecords third(records());
  EXPECT_FALSE(third.files()[0].state.unstored);
  EXPECT_EQ(third.files()[0].state.version.str(), "v2");
}

TEST_F(HandleRecordsTest, WhatIsDeadStaysSoWhateverBecomesOfItsInode) {
  state[5] = stored("v1");
  {
    HandleRecords worker(records());
    worker.opened(1, 5, O_RDONLY, 20);
    worker.opened(2, 5, O_WRONLY, 22);
    state[5] = unstored("v1");
    worker.written(5);
  }
  {
    HandleRecords next(records());
    next.died(1);
    next.died(2);
    EXPECT_FALSE(next.any_unstored());
  }
  for (vfs::HandleId another : {10, 11}) {
    state[5] = stored("v2");
    HandleRecords next(records());
    next.opened(another, 5, O_RDONLY, 26);
    next.changed(5);
    for (const auto& file : next.files()) {
      EXPECT_EQ(file.dead, file.handle == 1 || file.handle == 2) << file.handle;
    }
    next.closed(another);
  }
  HandleRecords last(records());
  last.closed(1);
  last.closed(2);
  EXPECT_THAT(last.files(), IsEmpty());
}

TEST_F(HandleRecordsTest, AHandleThatTheKernelWasNotToldOfIsForgotten) {
  state[5] = stored("v1");
  {
    HandleRecords worker(records());
    worker.opened(1, 5, O_RDONLY, 20);
    worker.opened(2, 5, O_RDONLY, 22 | kResentBit);
    worker.opened_directory(1, 6, 24);
  }
  HandleRecords next(records());
  next.forget_unanswered([](std::uint64_t request) { return request == 22 || request == 24; });
  EXPECT_THAT(next.files(), SizeIs(1));
  EXPECT_THAT(next.directories(), IsEmpty());
}

TEST_F(HandleRecordsTest, AVersionThatDoesNotFitIsEqualToNone) {
  state[5] = stored(std::string(kVersionBytesMax + 1, 'v'));
  HandleRecords worker(records());
  worker.opened(1, 5, O_RDONLY, 20);
  EXPECT_NE(worker.files()[0].state.version, state[5].version);
  EXPECT_FALSE(worker.files()[0].state.version.empty());
}

TEST_F(HandleRecordsTest, RecordsAreUsedAgainAndMoreThanFitAreLeftOut) {
  HandleRecords worker(records());
  for (vfs::HandleId handle = 1; handle <= 100; ++handle) {
    worker.opened(handle, handle, O_RDONLY, 2 * handle);
    worker.closed(handle);
  }
  EXPECT_LE(used, 1u);
  for (vfs::HandleId handle = 101; handle <= 120; ++handle) {
    worker.opened(handle, handle, O_RDONLY, 2 * handle);
  }
  EXPECT_THAT(worker.files(), SizeIs(8));
  worker.closed(120);
  worker.closed(101);
  EXPECT_THAT(worker.files(), SizeIs(7));
}

TEST(LedgerTest, IsSharedAndKnowsItsVersion) {
  const auto fd = make_ledger();
  ASSERT_TRUE(fd);
  {
    const auto first = Ledger::map(fd->get());
    ASSERT_TRUE(first);
    (*first)->handles[kHandlesMax - 1].handle = 17;
  }
  const auto second = Ledger::map(fd->get());
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->handles[kHandlesMax - 1].handle, 17u);
  (*second)->version = kLedgerVersion + 1;
  const auto third = Ledger::map(fd->get());
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace prefixfs::fuse
