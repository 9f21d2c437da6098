// Two hosts on one store, with a clock that the test moves.

#include "prefixfs/locks/locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "lease_object.h"
#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/seed.h"
#include "support/store_calls.h"
#include "support/temp_dir.h"

namespace prefixfs::locks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using test::code_of;
using Wait = Locks::Wait;

constexpr auto kLease = 30s;

Owner process(std::uint64_t number) { return {.kind = Kind::posix, .number = number}; }
Lock exclusive(std::uint64_t number, ByteRange range = kEverything) { return {.owner = process(number), .mode = Mode::exclusive, .range = range, .pid = 4711}; }
Lock shared(std::uint64_t number, ByteRange range = kEverything) { return {.owner = process(number), .mode = Mode::shared, .range = range, .pid = 4711}; }
Lock whole(std::uint64_t number, Mode mode) { return {.owner = {.kind = Kind::flock, .number = number}, .mode = mode}; }

/// One mount, through a store of its own so that its requests can be counted and fail.
class Host {
 public:
  Host(test::MemoryStore& memory, const Clock& clock, Random& random, std::string notes = {})
      : store(memory), options_{.lease = kLease, .notes_directory = std::move(notes)}, clock_(clock), random_(random) {
    start(false);
  }

  /// Another process goes on with the mount; or, with `goes_on` false, a new mount in the same directory.
  void start(bool goes_on) {
    locks_ = std::make_unique<Locks>(options_, store, clock_, random_, *log_);
    locks_->begin(goes_on);
    locks_->on_lost([this](const Lost& told) { lost.push_back(told); });
  }

  std::string lock(const Lock& wanted, const File& file = kFile) { return code_of(locks_->lock(file, wanted, Wait::no, {})); }
  void unlock(const Owner& owner, ByteRange range = kEverything, const File& file = kFile) { locks_->unlock(file, owner, range, {}); }
  std::optional<Lock> blocker(const Lock& wanted) {
    auto found = locks_->in_the_way_of(kFile, wanted, {});
    EXPECT_TRUE(found) << test::why(found);
    return found ? *found : std::nullopt;
  }
  std::vector<std::string> requests() {
    std::vector<std::string> operations;
    for (const auto& call : store.calls()) {
      operations.push_back(call.operation);
    }
    store.forget_calls();
    return operations;
  }
  Locks& locks() { return *locks_; }

  static inline const File kFile{.inode = 5, .key = Key("dir/counter")};
  test::FaultyStore store;
  std::vector<Lost> lost;

 private:
  Options options_;
  const Clock& clock_;
  Random& random_;
  std::unique_ptr<Log> log_ = make_null_log();
  std::unique_ptr<Locks> locks_;
};

class LocksTest : public ::testing::Test {
 protected:
  LocksTest() {
    // The proof, which each host asks for once.
    for (Host* host : {&one, &two}) {
      EXPECT_EQ(host->lock(exclusive(99), {.inode = 99, .key = Key("proof")}), "");
      host->unlock(process(99), kEverything, {.inode = 99, .key = Key("proof")});
      host->store.forget_calls();
    }
    EXPECT_THAT(memory.keys(), IsEmpty());
  }

  /// Both go on renewing, or only one of them.
  void pass(std::chrono::nanoseconds time, std::vector<Host*> alive) {
    for (std::chrono::nanoseconds gone{}; gone < time; gone += 1s) {
      clock.advance(1s);
      for (Host* host : alive) {
        host->locks().renew_due();
      }
    }
  }

  test::Seed seed;
  test::SeededRandom random{seed};
  test::FakeClock clock;
  test::MemoryStore memory{clock};
  test::TempDir directory;
  Host one{memory, clock, random, directory.file("one")};
  Host two{memory, clock, random, directory.file("two")};
};

TEST_F(LocksTest, AnUncontendedLockIsOnePutAndOneDelete) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(memory.keys(), std::vector{object_of(Key("dir/counter")).str()});
  EXPECT_EQ(one.lock(exclusive(1, {0, 10})), "") << "it has that already";
  one.unlock(process(1));
  one.unlock(process(1));
  EXPECT_THAT(one.requests(), ElementsAre("PutObject", "DeleteObject"));
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, AnotherHostIsKeptOutUntilItIsUnlocked) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "busy") << "the same number on another host is somebody else";
  EXPECT_EQ(two.lock(shared(1)), "busy");
  EXPECT_EQ(one.lock(exclusive(2)), "busy");
  one.unlock(process(1));
  EXPECT_EQ(two.lock(exclusive(1)), "");
  EXPECT_EQ(one.lock(shared(1)), "busy");
}

TEST_F(LocksTest, WhatIsLockedOnThisHostIsToldWithoutARequest) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.requests();
  EXPECT_EQ(one.lock(shared(2)), "busy");
  const auto found = one.blocker(shared(2));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pid, 4711);
  EXPECT_THAT(one.requests(), IsEmpty());
}

TEST_F(LocksTest, SharedLocksOfManyHostsAreInOneTable) {
  EXPECT_EQ(one.lock(shared(1)), "");
  EXPECT_EQ(two.lock(shared(1)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  one.unlock(process(1));
  EXPECT_EQ(two.lock(exclusive(1)), "") << "made exclusive in place";
  EXPECT_EQ(one.lock(shared(1)), "busy");
  two.unlock(process(1));
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, RangesThatDoNotMeetAreHeldByDifferentHosts) {
  EXPECT_EQ(one.lock(exclusive(1, {0, 100})), "");
  EXPECT_EQ(two.lock(exclusive(1, {100, 200})), "");
  EXPECT_EQ(two.lock(exclusive(1, {99, 100})), "busy");
  one.unlock(process(1), {40, 100});
  EXPECT_EQ(two.lock(exclusive(1, {40, 100})), "");
  const auto found = two.blocker(exclusive(1, {0, 300}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->range, (ByteRange{0, 40}));
  EXPECT_EQ(found->pid, 0) << "a process of another host";
  EXPECT_FALSE(two.blocker(exclusive(1, {40, 300})));
}

TEST_F(LocksTest, FlockAndFcntlDoNotMeet) {
  EXPECT_EQ(one.lock(whole(1, Mode::exclusive)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "");
  EXPECT_EQ(two.lock(whole(1, Mode::shared)), "busy");
}

TEST_F(LocksTest, AHostThatRenewsKeepsItsLockForLong) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  for (int minute = 0; minute < 5; ++minute) {
    EXPECT_EQ(two.lock(exclusive(1)), "busy");
    pass(60s, {&one, &two});
  }
  EXPECT_THAT(one.lost, IsEmpty());
  one.requests();
  pass(60s, {&one});
  EXPECT_THAT(one.requests(), ElementsAre("PutObject", "PutObject", "PutObject", "PutObject", "PutObject", "PutObject")) << "every third of a lease";
}

TEST_F(LocksTest, TheLocksOfAHostThatIsNotHeardOfExpire) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  pass(kLease, {&two});
  EXPECT_EQ(two.lock(exclusive(1)), "busy") << "a tenth more, as clocks differ";
  pass(kLease / 10, {&two});
  EXPECT_EQ(two.lock(exclusive(1)), "");
}

TEST_F(LocksTest, OnlyTheTimeInWhichSomebodyHasLookedCounts) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  pass(10 * kLease, {});
  EXPECT_EQ(two.lock(exclusive(1)), "busy") << "it has never seen this host before";
}

TEST_F(LocksTest, ExpiredLocksOfOneHostLeaveThoseOfAnother) {
  Host three{memory, clock, random};
  EXPECT_EQ(one.lock(shared(1)), "");
  EXPECT_EQ(two.lock(shared(1)), "");
  EXPECT_EQ(three.lock(exclusive(1)), "busy");
  pass(2 * kLease, {&two});
  EXPECT_EQ(three.lock(exclusive(1)), "busy");
  two.unlock(process(1));
  EXPECT_EQ(three.lock(exclusive(1)), "");
}

TEST_F(LocksTest, WhoCannotRenewHasLostItsLocks) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.store.add({.operation = "PutObject", .count = -1});
  pass(kLease, {&one});
  ASSERT_EQ(one.lost.size(), 1U);
  EXPECT_TRUE(one.lost[0].exclusive);
  EXPECT_THAT(one.lost[0].inodes, ElementsAre(5U));
  one.store.clear_faults();
  EXPECT_EQ(one.lock(exclusive(1)), "io") << "it must not believe that it has had it all the time";
  EXPECT_EQ(one.lock(exclusive(2)), "") << "who had none has lost none";
  one.unlock(process(2));
  one.unlock(process(1));
  EXPECT_EQ(one.lock(exclusive(1)), "");
}

TEST_F(LocksTest, WhoWasTakenOverFindsOutWhenItRenews) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  // As a machine that was suspended: its own clock has stood still. Here the store gives the lease to the other host.
  pass(2 * kLease, {});
  EXPECT_EQ(two.lock(exclusive(1)), "");
  one.locks().renew_due();
  EXPECT_EQ(one.lost.size(), 1U);
  EXPECT_EQ(two.lock(exclusive(1, {0, 1})), "");
  two.unlock(process(1));
  EXPECT_THAT(memory.keys(), IsEmpty()) << "the loser has left nothing";
}

TEST_F(LocksTest, AnUnlockThatS3DoesNotHearIsMadeUpFor) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.store.add({.operation = "DeleteObject", .count = 1});
  one.unlock(process(1));
  EXPECT_EQ(one.lock(exclusive(2)), "") << "on this host it is free";
  one.unlock(process(2));
  EXPECT_THAT(memory.keys(), IsEmpty());
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.store.add({.operation = "DeleteObject", .count = 1});
  one.unlock(process(1));
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  pass(5s, {&one});
  EXPECT_EQ(two.lock(exclusive(1)), "");
}

TEST_F(LocksTest, ALockWhoseAnswerWasLostIsTakenBack) {
  one.store.add({.operation = "PutObject", .count = 1, .after_the_work = true});
  EXPECT_EQ(one.lock(exclusive(1)), "unavailable");
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  pass(5s, {&one});
  EXPECT_EQ(two.lock(exclusive(1)), "");
  EXPECT_THAT(one.lost, IsEmpty());
}

TEST_F(LocksTest, OfManyThatRaceOneWins) {
  for (int round = 0; round < 50; ++round) {
    std::string first, second;
    {
      const std::jthread other([&] { second = two.lock(exclusive(1)); });
      first = one.lock(exclusive(1));
    }
    EXPECT_NE(first == "", second == "") << first << " and " << second;
    one.unlock(process(1));
    two.unlock(process(1));
    ASSERT_THAT(memory.keys(), IsEmpty());
  }
}

TEST_F(LocksTest, TheKeyIsThatOfTheFirstLockWhileTheInodeIsLocked) {
  const File before{.inode = 8, .key = Key("before")};
  const File after{.inode = 8, .key = Key("after")};
  EXPECT_EQ(one.lock(exclusive(1), before), "");
  EXPECT_EQ(one.lock(exclusive(2), after), "busy");
  EXPECT_TRUE(one.locks().concerns(after, process(1), kEverything));
  one.unlock(process(1), kEverything, after);
  EXPECT_THAT(memory.keys(), IsEmpty());
  EXPECT_EQ(one.lock(exclusive(2), after), "");
  EXPECT_EQ(memory.keys(), std::vector{object_of(Key("after")).str()});
}

TEST_F(LocksTest, WhatWasLockedThroughAnOpenFileGoesWithIt) {
  Lock of_a_description = exclusive(1, {0, 10});
  of_a_description.handle = 71;
  Lock through_another = exclusive(2, {10, 20});
  through_another.handle = 72;
  EXPECT_EQ(one.lock(of_a_description), "");
  EXPECT_EQ(one.lock(through_another), "");
  one.locks().unlock_handle(Host::kFile, 71, {});
  EXPECT_FALSE(one.locks().concerns(Host::kFile, process(1), kEverything));
  EXPECT_EQ(two.lock(exclusive(1, {0, 10})), "");
  EXPECT_EQ(two.lock(exclusive(1, {10, 20})), "busy");
}

TEST_F(LocksTest, AllGoWithTheMount) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(one.lock(shared(1), {.inode = 6, .key = Key("other")}), "");
  one.locks().release_all({});
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, TheNextWorkerGoesOnWithWhatIsHeld) {
  EXPECT_EQ(one.lock(exclusive(1, {0, 10})), "");
  pass(10s, {});
  one.start(true);
  EXPECT_EQ(two.lock(exclusive(1, {0, 10})), "busy");
  pass(10 * kLease, {&one});
  EXPECT_EQ(two.lock(exclusive(1, {0, 10})), "busy") << "it renews";
  EXPECT_EQ(one.lock(exclusive(2, {0, 10})), "busy");
  EXPECT_TRUE(one.locks().concerns(5));
  one.unlock(process(1));
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, AWorkerThatComesTooLateHasLostThem) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  pass(kLease, {});
  one.start(true);
  one.locks().renew_due();
  EXPECT_EQ(one.lost.size(), 1U);
  EXPECT_EQ(one.lock(exclusive(1)), "io");
}

TEST_F(LocksTest, ANewMountCleansUpAfterOneThatWasKilledOnceThatHasExpired) {
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.start(false);
  EXPECT_EQ(one.lock(exclusive(1)), "busy") << "another mount had it, and may be the one that a copied machine still has";
  pass(kLease, {&one});
  EXPECT_EQ(memory.keys().size(), 1U);
  pass(kLease, {&one});
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, AnEndpointThatIgnoresConditionsHasNoLocks) {
  memory.set_capabilities({.conditional_put = s3::Support::no});
  Host three{memory, clock, random};
  EXPECT_EQ(three.lock(exclusive(1)), "unsupported");
  three.requests();
  EXPECT_EQ(three.lock(exclusive(1)), "unsupported");
  EXPECT_THAT(three.requests(), IsEmpty());
  EXPECT_THAT(memory.keys(), IsEmpty());
}

TEST_F(LocksTest, WithoutConditionsOnDeletesAnEmptyTableStays) {
  memory.set_capabilities({.conditional_put = s3::Support::yes, .conditional_delete = s3::Support::no});
  EXPECT_EQ(one.lock(exclusive(1)), "");
  one.unlock(process(1));
  EXPECT_EQ(memory.keys().size(), 1U);
  EXPECT_EQ(two.lock(exclusive(1)), "");
}

TEST_F(LocksTest, WhatIsNoTableIsNotOverwritten) {
  memory.put_text(object_of(Key("dir/counter")).str(), "something else");
  EXPECT_EQ(one.lock(exclusive(1)), "unsupported");
  EXPECT_EQ(memory.text(object_of(Key("dir/counter")).str()), "something else");
}

TEST_F(LocksTest, WithoutTheRightToListWhatIsMissingIsFree) {
  memory.set_rights({.list = false});
  EXPECT_EQ(one.lock(exclusive(1)), "");
  EXPECT_EQ(two.lock(exclusive(1)), "busy");
  one.unlock(process(1));
  EXPECT_EQ(two.lock(exclusive(1)), "");
}

/// Who waits does so by the real clock.
class WaitingTest : public LocksTest {
 protected:
  SystemClock real;
  Host first{memory, real, random};
  Host second{memory, real, random};
};

TEST_F(WaitingTest, WhoWaitsIsWokenByAnUnlockOnItsHostAndFindsThatOfAnother) {
  EXPECT_EQ(first.lock(exclusive(1)), "");
  std::string here, there;
  {
    const std::jthread local([&] {
      here = code_of(first.locks().lock(Host::kFile, exclusive(2), Wait::yes, {}));
      first.unlock(process(2));
    });
    const std::jthread remote([&] {
      there = code_of(second.locks().lock(Host::kFile, exclusive(3), Wait::yes, {}));
      second.unlock(process(3));
    });
    first.unlock(process(1));
  }
  EXPECT_EQ(here, "");
  EXPECT_EQ(there, "");
}

TEST_F(WaitingTest, AWaitIsInterrupted) {
  EXPECT_EQ(first.lock(exclusive(1)), "");
  std::stop_source stop;
  std::string waited;
  {
    const std::jthread waiter([&] { waited = code_of(second.locks().lock(Host::kFile, exclusive(1), Wait::yes, {.cancel = stop.get_token()})); });
    stop.request_stop();
  }
  EXPECT_EQ(waited, "cancelled");
}

TEST_F(WaitingTest, TwoThatMakeASharedFlockExclusiveDoNotWaitForEachOther) {
  EXPECT_EQ(first.lock(whole(1, Mode::shared)), "");
  EXPECT_EQ(second.lock(whole(1, Mode::shared)), "");
  std::vector<std::string> outcomes(2);
  {
    std::vector<std::jthread> threads;
    for (std::size_t host = 0; host < 2; ++host) {
      threads.emplace_back([&, host] {
        Host& mine = host == 0 ? first : second;
        outcomes[host] = code_of(mine.locks().lock(Host::kFile, whole(1, Mode::exclusive), Wait::yes, {}));
        mine.unlock({.kind = Kind::flock, .number = 1});
      });
    }
  }
  EXPECT_THAT(outcomes, ElementsAre("", ""));
}

TEST_F(WaitingTest, WhoAsksWhileItIsBeingClosedIsToldWhatHoldsAfterwards) {
  Lock held = whole(1, Mode::exclusive);
  held.handle = 1;
  EXPECT_EQ(first.lock(held), "");
  first.locks().closing(Host::kFile, 1);
  std::string told;
  {
    const std::jthread asks([&] { told = first.lock(whole(2, Mode::exclusive)); });
    first.locks().unlock_handle(Host::kFile, 1, {});
  }
  EXPECT_EQ(told, "");
}

TEST_F(WaitingTest, AnOpenFileThatHasOtherDescriptorsKeepsItsLock) {
  Lock held = whole(1, Mode::exclusive);
  held.handle = 1;
  EXPECT_EQ(first.lock(held), "");
  first.locks().closing(Host::kFile, 1);
  EXPECT_EQ(first.lock(whole(2, Mode::exclusive)), "busy");
  EXPECT_EQ(first.lock(whole(2, Mode::shared)), "busy");
}

}  // namespace
}  // namespace prefixfs::locks
