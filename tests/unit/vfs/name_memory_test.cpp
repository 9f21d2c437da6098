#include "name_memory.h"

#include <gtest/gtest.h>

namespace prefixfs::vfs {
namespace {

WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(AbsentNamesTest, RemembersTheMomentUntilRemoved) {
  AbsentNames names(10);
  EXPECT_EQ(names.seen(1, "a"), WallTime{});
  names.add(1, "a", at(5));
  EXPECT_EQ(names.seen(1, "a"), at(5));
  EXPECT_EQ(names.seen(2, "a"), WallTime{});
  names.add(1, "a", at(7));
  EXPECT_EQ(names.seen(1, "a"), at(7));
  names.remove(1, "a");
  EXPECT_EQ(names.seen(1, "a"), WallTime{});
  names.remove(1, "never");
}

TEST(AbsentNamesTest, ForgetsTheOldestAtTheLimit) {
  AbsentNames names(2);
  names.add(1, "a", at(1));
  names.add(1, "b", at(2));
  names.add(1, "a", at(3));  // young again
  names.add(1, "c", at(4));
  EXPECT_EQ(names.seen(1, "a"), at(3));
  EXPECT_EQ(names.seen(1, "b"), WallTime{});
  EXPECT_EQ(names.seen(1, "c"), at(4));
}

TEST(AbsentNamesTest, NamesWithDigitsAndSlashesDoNotMeet) {
  AbsentNames names(10);
  names.add(1, "1/a", at(1));
  EXPECT_EQ(names.seen(11, "a"), WallTime{});
}

TEST(UnknownNamePredictorTest, PredictsWhatCameLast) {
  UnknownNamePredictor predictor;
  EXPECT_FALSE(predictor.expects_object(1));
  predictor.learn(1, true);
  EXPECT_TRUE(predictor.expects_object(1));
  EXPECT_FALSE(predictor.expects_object(2));
  predictor.learn(1, false);
  EXPECT_FALSE(predictor.expects_object(1));
}

TEST(UnknownNamePredictorTest, StaysBounded) {
  UnknownNamePredictor predictor;
  for (InodeId id = 1; id <= 10001; ++id) {
    predictor.learn(id, true);
  }
  EXPECT_FALSE(predictor.expects_object(1));
  EXPECT_TRUE(predictor.expects_object(10001));
}

TEST(DirectoriesReadTest, BelievedUntilAMoment) {
  DirectoriesRead read;
  EXPECT_FALSE(read.believed(5, at(1), at(1)));
  read.add(5, at(1), at(10));
  EXPECT_TRUE(read.believed(5, at(1), at(9)));
  EXPECT_FALSE(read.believed(5, at(0), at(9))) << "the listing has not confirmed it";
  EXPECT_FALSE(read.believed(5, at(1), at(10)));
  EXPECT_FALSE(read.believed(6, at(1), at(9)));
  read.add(5, at(1), at(12));
  EXPECT_TRUE(read.believed(5, at(1), at(11)));
}

TEST(DirectoriesReadTest, ASecondReaderDoesNotDisturbTheFirst) {
  DirectoriesRead read;
  read.add(5, at(1), at(10));
  read.add(5, at(4), at(20));
  EXPECT_TRUE(read.believed(5, at(2), at(9)));
  EXPECT_FALSE(read.believed(5, at(2), at(10)));
  EXPECT_TRUE(read.believed(5, at(5), at(19)));
}

TEST(LargeDirectoriesTest, RemembersUpToALimit) {
  LargeDirectories large;
  EXPECT_FALSE(large.contains(5));
  large.add(5);
  EXPECT_TRUE(large.contains(5));
  for (InodeId id = 10; id < 10010; ++id) {
    large.add(id);
  }
  EXPECT_FALSE(large.contains(5));
}

TEST(NamelessFilesTest, TheLastOnesAreKnown) {
  NamelessFiles files(2);
  for (const InodeId id : {5, 6, 7}) {
    meta::Node file;
    file.id = id;
    file.size = id;
    files.add(file);
  }
  EXPECT_FALSE(files.find(5));
  EXPECT_EQ(files.find(6)->size, 6u);
  EXPECT_EQ(files.find(7)->size, 7u);
}

TEST(UntoldVersionsTest, UntilTheKernelIsTold) {
  UntoldVersions untold(2);
  EXPECT_FALSE(untold.contains(5));
  untold.add(5);
  untold.add(5);
  EXPECT_TRUE(untold.contains(5));
  untold.remove(5);
  untold.remove(5);
  EXPECT_FALSE(untold.contains(5));
}

TEST(UntoldVersionsTest, TheOldestIsForgotten) {
  UntoldVersions untold(2);
  untold.add(5);
  untold.add(6);
  untold.add(7);
  EXPECT_FALSE(untold.contains(5));
  EXPECT_TRUE(untold.contains(6));
  EXPECT_TRUE(untold.contains(7));
}

}  // namespace
}  // namespace prefixfs::vfs
