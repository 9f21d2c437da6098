#include "reading_order.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "support/seed.h"

namespace prefixfs::vfs {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kBytes = 1000;

/// Files 1, 2, ... of one directory, as a program opens them.
class Reader {
 public:
  explicit Reader(InodeId files, const FilesAheadLimits& limits = {}, std::chrono::nanoseconds pace = 1ms) : order_(limits), files_(files), pace_(pace) {}

  /// Which are fetched ahead when it opens this one.
  std::vector<InodeId> open(InodeId file) {
    now_ += pace_;
    if (!order_.follows(file, now_)) {
      order_.begin(file, name_of(file), continued_, now_);
    }
    give_names();
    std::vector<InodeId> fetched;
    for (const NextFile& next : order_.take()) {
      fetched.push_back(next.id);
    }
    return fetched;
  }
  void continued() { continued_ = true; }
  std::uint64_t unused() {
    order_.give_up();
    return order_.take_unused();
  }
  ReadingOrder& order() { return order_; }

 private:
  static std::string name_of(InodeId file) { return fmt::format("{:06}", file); }
  void give_names() {
    constexpr InodeId kAtOnce = 10;
    while (const std::string* after = order_.wants_names()) {
      const InodeId from = std::stoull(*after) + 1;
      const InodeId end = std::min(files_ + 1, from + kAtOnce);
      std::vector<NextFile> files;
      for (InodeId file = from; file < end; ++file) {
        files.push_back({.id = file, .bytes = kBytes});
      }
      order_.add(std::string(*after), std::move(files), end <= files_ ? name_of(end - 1) : std::string());
    }
  }

  ReadingOrder order_;
  InodeId files_;
  std::chrono::nanoseconds pace_;
  bool continued_ = false;
  SteadyTime now_{};
};

TEST(ReadingOrderTest, AfterTheSecondFileInOrderTheNextOnesAreFetchedAndEverMoreOfThem) {
  Reader reader(1000);
  EXPECT_THAT(reader.open(1), IsEmpty());
  EXPECT_THAT(reader.open(2), ElementsAre(3, 4));
  EXPECT_THAT(reader.open(3), ElementsAre(5, 6, 7));
  EXPECT_THAT(reader.open(4), ElementsAre(8, 9, 10, 11, 12));
  for (InodeId file = 5; file < 100; ++file) {
    reader.open(file);
  }
  EXPECT_THAT(reader.open(100), ElementsAre(164));
}

TEST(ReadingOrderTest, EachIsFetchedOnceAndNoneThatWasOpened) {
  Reader reader(300);
  std::vector<InodeId> fetched;
  for (InodeId file = 1; file <= 300; ++file) {
    const auto more = reader.open(file);
    EXPECT_TRUE(std::ranges::all_of(more, [&](InodeId ahead) { return ahead > file; }));
    fetched.insert(fetched.end(), more.begin(), more.end());
  }
  std::vector<InodeId> all(298);
  std::iota(all.begin(), all.end(), 3);
  EXPECT_EQ(fetched, all);
  EXPECT_EQ(reader.unused(), 0u);
}

TEST(ReadingOrderTest, NoMoreThanAProgramOfThisPaceOpensWhileItIsBelieved) {
  Reader slow(1000, {.believed_for = 1s}, 100ms);
  std::size_t ahead = 0;
  for (InodeId file = 1; file <= 50; ++file) {
    ahead += slow.open(file).size();
    EXPECT_LE(ahead, file + 5) << file;
  }
  Reader slower(1000, {.believed_for = 1s}, 3s);
  slower.open(1);
  EXPECT_THAT(slower.open(2), ElementsAre(3));
}

TEST(ReadingOrderTest, RandomOrderFetchesNextToNothing) {
  const test::Seed seed;
  auto random = seed.engine();
  std::vector<InodeId> files(2000);
  std::iota(files.begin(), files.end(), 1);
  std::ranges::shuffle(files, random);
  Reader reader(2000);
  std::size_t fetched = 0;
  for (const InodeId file : files) {
    fetched += reader.open(file).size();
  }
  EXPECT_LT(fetched, 200u);  // by chance every hundredth is one of the sixteen behind the last
}

TEST(ReadingOrderTest, WorkersThatShareTheFilesReadInOrder) {
  const test::Seed seed;
  auto random = seed.engine();
  std::vector<InodeId> files(800);
  std::iota(files.begin(), files.end(), 1);
  for (std::size_t begin = 0; begin < files.size(); begin += 8) {
    std::shuffle(files.begin() + static_cast<std::ptrdiff_t>(begin), files.begin() + static_cast<std::ptrdiff_t>(begin) + 8, random);
  }
  Reader reader(800);
  std::size_t fetched = 0;
  for (const InodeId file : files) {
    fetched += reader.open(file).size();
  }
  EXPECT_GT(fetched, 750u);
  EXPECT_LE(reader.unused(), 16 * kBytes);  // of the first ones, before the order is clear
}

TEST(ReadingOrderTest, WhereNamesAreLeftOutLittleIsFetchedForNothing) {
  Reader reader(4000);
  for (InodeId file = 1; file <= 4000; file += 2) {
    reader.open(file);
  }
  EXPECT_LE(reader.unused(), 2000 * kBytes / 15);
}

TEST(ReadingOrderTest, NoMoreBytesThanAllowed) {
  Reader reader(1000, {.bytes_max = 5 * kBytes});
  std::size_t ahead = 0;
  for (InodeId file = 1; file <= 100; ++file) {
    ahead += reader.open(file).size();
    EXPECT_LE(ahead, file + 5);
  }
  EXPECT_GE(ahead, 100u);
}

TEST(ReadingOrderTest, AFileThatIsOpenedTwiceChangesNothing) {
  Reader reader(1000);
  for (InodeId file = 1; file <= 20; ++file) {
    reader.open(file);
    EXPECT_THAT(reader.open(file), IsEmpty());
  }
  EXPECT_TRUE(reader.order().in_order());
}

TEST(ReadingOrderTest, OneThatStandsElsewhereDoesNotEndTheOrder) {
  Reader reader(1000);
  for (InodeId file = 1; file <= 20; ++file) {
    reader.open(file);
  }
  EXPECT_THAT(reader.open(900), IsEmpty());
  EXPECT_FALSE(reader.open(21).empty());
  reader.open(800);
  reader.open(700);
  EXPECT_TRUE(reader.order().in_order());
  reader.open(600);
  EXPECT_FALSE(reader.order().in_order());
}

TEST(ReadingOrderTest, WhoComesFromADirectoryReadInOrderIsBelievedAtOnce) {
  Reader reader(1000);
  reader.continued();
  EXPECT_THAT(reader.open(1), ElementsAre(2, 3));
}

TEST(ReadingOrderTest, WhatWasFetchedWhenTheOrderEndsIsUnused) {
  Reader reader(1000);
  reader.open(1);
  ASSERT_THAT(reader.open(2), SizeIs(2));
  for (const InodeId file : {500, 600, 700}) {
    reader.open(file);
  }
  EXPECT_EQ(reader.order().take_unused(), 2 * kBytes);
  EXPECT_EQ(reader.order().take_unused(), 0u);
}

}  // namespace
}  // namespace prefixfs::vfs
