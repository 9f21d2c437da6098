#include "in_flight.h"

#include <gtest/gtest.h>

#include <array>

namespace prefixfs::fuse {
namespace {

fuse_in_header request(std::uint64_t unique) {
  fuse_in_header header{};
  header.unique = unique;
  header.opcode = FUSE_READ;
  header.nodeid = 7;
  return header;
}

/// What outlives the workers.
class InFlightTest : public testing::Test {
 protected:
  /// A worker takes over, reads these and dies.
  void live_and_die(const std::vector<std::uint64_t>& reads) {
    InFlight worker(records);
    worker.count_deaths();
    for (const std::uint64_t unique : reads) {
      EXPECT_TRUE(worker.admit(request(unique | kResentBit)));
    }
  }
  std::array<InFlightRecord, 4> records{};
};

TEST_F(InFlightTest, ARequestInHandAtThreeDeathsIsRefused) {
  for (unsigned death = 0; death < InFlight::kDeathsMax; ++death) {
    live_and_die({10});
  }
  InFlight worker(records);
  worker.count_deaths();
  EXPECT_FALSE(worker.admit(request(10 | kResentBit)));
  EXPECT_TRUE(worker.admit(request(12)));
  worker.answered(10 | kResentBit);
  EXPECT_FALSE(worker.holds(10));
}

TEST_F(InFlightTest, OneThatWasNotReadHasNothingToDoWithIt) {
  live_and_die({10});
  live_and_die({});  // it died before the request reached it
  live_and_die({});
  live_and_die({});
  live_and_die({10});
  InFlight worker(records);
  worker.count_deaths();
  EXPECT_TRUE(worker.admit(request(10 | kResentBit)));
}

TEST_F(InFlightTest, AnAnsweredOneIsForgotten) {
  for (unsigned turn = 0; turn < 5; ++turn) {
    InFlight worker(records);
    worker.count_deaths();
    EXPECT_TRUE(worker.admit(request(10)));
    EXPECT_TRUE(worker.holds(10));
    worker.answered(10);
    EXPECT_FALSE(worker.holds(10));
  }
  EXPECT_EQ(records[0].unique, 0u);
}

TEST_F(InFlightTest, AnEndInOrderIsNoDeath) {
  for (unsigned turn = 0; turn < 5; ++turn) {
    InFlight worker(records);
    worker.count_deaths();
    EXPECT_TRUE(worker.admit(request(10)));
    worker.let_go();
  }
}

TEST_F(InFlightTest, MoreThanFitAreServed) {
  InFlight worker(records);
  for (std::uint64_t unique = 2; unique < 40; unique += 2) {
    EXPECT_TRUE(worker.admit(request(unique)));
  }
  for (std::uint64_t unique = 2; unique < 40; unique += 2) {
    worker.answered(unique);
  }
  EXPECT_TRUE(worker.admit(request(100)));
  EXPECT_TRUE(worker.holds(100));
}

}  // namespace
}  // namespace prefixfs::fuse
