#include "readahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "prefixfs/base/result.h"

namespace prefixfs::vfs {
namespace {

constexpr std::uint64_t kKiB = 1 << 10;
constexpr std::uint64_t kMiB = 1 << 20;

TEST(ReadAheadTest, FirstReadFetchesTheFirstBlockOnly) {
  ReadAhead ahead({});
  const auto plan = ahead.plan({0, 4 * kKiB}, 100 * kMiB);
  EXPECT_EQ(plan.now, (ByteRange{0, 128 * kKiB}));
  EXPECT_TRUE(plan.ahead.empty());
}

TEST(ReadAheadTest, NothingIsPlannedBeyondTheEnd) {
  ReadAhead ahead({});
  EXPECT_EQ(ahead.plan({0, 128 * kKiB}, 1000).now, (ByteRange{0, 1000}));
  ReadAhead other({});
  EXPECT_EQ(other.plan({500, 5000}, 1000).now, (ByteRange{0, 1000}));
}

TEST(ReadAheadTest, ReadingInOrderFetchesWholePartsAndEverMoreOfThem) {
  ReadAhead ahead({});
  const std::uint64_t size = 200 * kMiB;
  std::size_t most = 0;
  std::uint64_t covered = 0;
  for (std::uint64_t at = 0; at < size; at += 128 * kKiB) {
    const auto plan = ahead.plan({at, at + 128 * kKiB}, size);
    EXPECT_LE(plan.now.begin, at);
    EXPECT_GE(plan.now.end, at + 128 * kKiB);
    covered = std::max(covered, plan.now.end);
    for (const ByteRange& part : plan.ahead) {
      EXPECT_EQ(part.begin, covered) << "no byte twice, none left out";
      EXPECT_LE(part.length(), 8 * kMiB);
      EXPECT_LE(part.end, size);
      covered = part.end;
    }
    most = std::max<std::size_t>(most, (covered - std::min(covered, plan.now.end)) / (8 * kMiB));
  }
  EXPECT_EQ(covered, size);
  EXPECT_EQ(most, 6u);
}

TEST(ReadAheadTest, ReadsOfOneRunMayArriveALittleOutOfOrder) {
  ReadAhead ahead({});
  ahead.plan({0, 128 * kKiB}, 100 * kMiB);
  ahead.plan({256 * kKiB, 384 * kKiB}, 100 * kMiB);
  const auto plan = ahead.plan({128 * kKiB, 256 * kKiB}, 100 * kMiB);
  EXPECT_EQ(plan.now.end, 8 * kMiB);
}

TEST(ReadAheadTest, AReadThatComesEarlyBringsTheBytesBeforeIt) {
  ReadAhead ahead({});
  ahead.plan({0, 128 * kKiB}, 100 * kMiB);
  EXPECT_EQ(ahead.plan({256 * kKiB, 384 * kKiB}, 100 * kMiB).now, (ByteRange{128 * kKiB, 8 * kMiB}));
}

TEST(ReadAheadTest, AReadThatComesAfterAllOthersInFlightDoesNotEndTheRun) {
  ReadAhead ahead({});
  ahead.plan({0, 128 * kKiB}, 100 * kMiB);
  for (std::uint64_t at = 256 * kKiB; at < 4 * kMiB; at += 128 * kKiB) {
    ahead.plan({at, at + 128 * kKiB}, 100 * kMiB);
  }
  EXPECT_EQ(ahead.plan({128 * kKiB, 256 * kKiB}, 100 * kMiB).now, (ByteRange{128 * kKiB, 8 * kMiB}));
  EXPECT_EQ(ahead.plan({4 * kMiB, 4 * kMiB + 128 * kKiB}, 100 * kMiB).now.end, 8 * kMiB);
}

TEST(ReadAheadTest, WhatIsInFlightMayArriveInAnyOrder) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<ByteRange> reads;
    for (std::uint64_t at = 128 * kKiB; at < 8 * kMiB; at += 128 * kKiB) {
      reads.push_back({at, at + 128 * kKiB});
    }
    std::ranges::shuffle(reads, random);
    ReadAhead ahead({});
    EXPECT_EQ(ahead.plan({0, 128 * kKiB}, 8 * kMiB).now, (ByteRange{0, 128 * kKiB}));
    EXPECT_EQ(ahead.plan(reads.front(), 8 * kMiB).now, (ByteRange{128 * kKiB, 8 * kMiB}));
    for (const ByteRange& read : reads) {
      EXPECT_EQ(ahead.plan(read, 8 * kMiB).now.end, 8 * kMiB) << "nothing else is fetched than what is on its way";
    }
  }
}

TEST(ReadAheadTest, AProgramThatSeeksALittleFetchesBlocks) {
  ReadAhead ahead({});
  ahead.plan({0, 4 * kKiB}, 100 * kMiB);
  EXPECT_EQ(ahead.plan({3 * kMiB, 3 * kMiB + 4 * kKiB}, 100 * kMiB).now, (ByteRange{3 * kMiB, 3 * kMiB + 128 * kKiB}));
  ahead.plan({50 * kMiB, 51 * kMiB}, 100 * kMiB);
  EXPECT_EQ(ahead.plan({54 * kMiB, 55 * kMiB}, 100 * kMiB).now, (ByteRange{54 * kMiB, 55 * kMiB}));
}

TEST(ReadAheadTest, SeekingFetchesBlocks) {
  ReadAhead ahead({});
  for (const std::uint64_t at : {50 * kMiB, 10 * kMiB, 90 * kMiB, 30 * kMiB}) {
    const auto plan = ahead.plan({at + 5, at + 100}, 100 * kMiB);
    EXPECT_EQ(plan.now, (ByteRange{at, at + 128 * kKiB}));
    EXPECT_TRUE(plan.ahead.empty());
  }
}

TEST(ReadAheadTest, WhoAsksForAsManyPlacesAsThereArePartsGetsThePartsToo) {
  ReadAhead ahead({.scattered_bytes_max = 1024 * kMiB});
  std::uint64_t place = 0;
  const auto next = [&](bool is_local = false) {
    place = (place + 100 * kMiB + 128 * kKiB) % (256 * kMiB);
    return ahead.plan({place, place + 4 * kKiB}, 256 * kMiB, is_local);
  };
  for (int i = 0; i < 32; ++i) {
    EXPECT_TRUE(next().ahead.empty());
    EXPECT_TRUE(next(true).ahead.empty()) << "what is local costs nothing, and does not count";
  }
  const auto plan = next();
  EXPECT_TRUE(plan.scattered);
  EXPECT_EQ(plan.now.length(), 128 * kKiB);
  const std::uint64_t part = place / (8 * kMiB) * (8 * kMiB);
  EXPECT_EQ(plan.ahead, (std::vector<ByteRange>{{part, part + 8 * kMiB}}));
}

TEST(ReadAheadTest, OfAFileThatIsTooLargeForTheCacheOnlyTheBlocksAreFetched) {
  ReadAhead ahead({.scattered_bytes_max = 100 * kMiB});
  for (std::uint64_t i = 1; i < 500; ++i) {
    const std::uint64_t place = i * 77 * kMiB % (256 * kMiB);
    EXPECT_TRUE(ahead.plan({place, place + 4 * kKiB}, 256 * kMiB).ahead.empty());
  }
}

TEST(ReadAheadTest, ARunInTheMiddleMustShowItselfFirst) {
  ReadAhead ahead({});
  std::uint64_t at = 50 * kMiB;
  auto plan = ahead.plan({at, at + 128 * kKiB}, 200 * kMiB);
  EXPECT_EQ(plan.now.length(), 128 * kKiB);
  for (int i = 1; i < 9; ++i) {
    plan = ahead.plan({at + i * 128 * kKiB, at + (i + 1) * 128 * kKiB}, 200 * kMiB);
  }
  EXPECT_EQ(plan.now.end, 56 * kMiB);
}

}  // namespace
}  // namespace prefixfs::vfs
