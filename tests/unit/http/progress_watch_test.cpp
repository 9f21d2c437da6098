#include "progress_watch.h"

#include <gtest/gtest.h>

namespace prefixfs::http {
namespace {

using namespace std::chrono_literals;
using Phase = ProgressWatch::Phase;
using Verdict = ProgressWatch::Verdict;

class ProgressWatchTest : public ::testing::Test {
 protected:
  SteadyTime at(std::chrono::milliseconds since_start) const { return start_ + since_start; }

  SteadyTime start_{1h};
  ProgressWatch watch_{{.first_byte = 10s, .low_speed_bytes_per_second = 1000, .low_speed_time = 15s}, start_};
};

TEST_F(ProgressWatchTest, ConnectingIsNotWatched) {
  EXPECT_EQ(watch_.check(Phase::connecting, 0, at(1h)), Verdict::fine);
  EXPECT_EQ(watch_.next_check(), SteadyTime::max());
}

TEST_F(ProgressWatchTest, TheAnswerIsDueAfterTheEndOfTheRequest) {
  EXPECT_EQ(watch_.check(Phase::sending, 0, at(0s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::waiting, 50'000, at(9s)), Verdict::fine);
  EXPECT_EQ(watch_.next_check(), at(19s));
  EXPECT_EQ(watch_.check(Phase::waiting, 50'000, at(18999ms)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::waiting, 50'000, at(19s)), Verdict::no_answer);
}

TEST_F(ProgressWatchTest, WaitingLongerThanTheLowSpeedTimeIsFine) {
  ProgressWatch patient({.first_byte = 120s, .low_speed_bytes_per_second = 1000, .low_speed_time = 15s}, start_);
  EXPECT_EQ(patient.check(Phase::waiting, 0, at(0s)), Verdict::fine);
  EXPECT_EQ(patient.check(Phase::waiting, 0, at(100s)), Verdict::fine);
}

TEST_F(ProgressWatchTest, SilenceIsAStallAfterTheWholeTime) {
  EXPECT_EQ(watch_.check(Phase::receiving, 10, at(0s)), Verdict::fine);
  for (int second = 1; second < 15; ++second) {
    EXPECT_EQ(watch_.check(Phase::receiving, 10, at(std::chrono::seconds(second))), Verdict::fine) << second;
  }
  EXPECT_EQ(watch_.check(Phase::receiving, 10, at(15s)), Verdict::stalled);
}

TEST_F(ProgressWatchTest, OneFastSecondStartsTheTimeAgain) {
  EXPECT_EQ(watch_.check(Phase::receiving, 0, at(0s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 0, at(13s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 1000, at(14s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 1999, at(15s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 1999, at(28s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 1999, at(29s)), Verdict::stalled);
}

TEST_F(ProgressWatchTest, ATrickleIsAStallToo) {
  EXPECT_EQ(watch_.check(Phase::sending, 0, at(0s)), Verdict::fine);
  Verdict verdict = Verdict::fine;
  for (int second = 1; second <= 15; ++second) {
    verdict = watch_.check(Phase::sending, static_cast<std::uint64_t>(second) * 999, at(std::chrono::seconds(second)));
  }
  EXPECT_EQ(verdict, Verdict::stalled);
}

TEST_F(ProgressWatchTest, ALateLookDoesNotBlameAFastTransfer) {
  EXPECT_EQ(watch_.check(Phase::receiving, 0, at(0s)), Verdict::fine);
  EXPECT_EQ(watch_.check(Phase::receiving, 100'000, at(60s)), Verdict::fine);
}

TEST_F(ProgressWatchTest, EndlessFirstByteTimeDoesNotOverflow) {
  ProgressWatch endless({.first_byte = std::chrono::milliseconds::max(), .low_speed_bytes_per_second = 0, .low_speed_time = 15s}, start_);
  EXPECT_EQ(endless.check(Phase::waiting, 0, at(1h)), Verdict::fine);
  EXPECT_GT(endless.next_check(), at(1000h));
  EXPECT_EQ(endless.check(Phase::receiving, 0, at(2h)), Verdict::fine);
  EXPECT_EQ(endless.check(Phase::receiving, 0, at(20h)), Verdict::fine) << "no low-speed limit";
  EXPECT_EQ(endless.next_check(), SteadyTime::max());
}

TEST_F(ProgressWatchTest, ABlankNowAndThenIsProgressOfAPatientRequest) {
  ProgressWatch patient({.first_byte = 120s, .low_speed_bytes_per_second = 1, .low_speed_time = 60s, .patient = true}, start_);
  std::uint64_t blanks = 0;
  for (int second = 0; second <= 300; ++second) {
    blanks += second % 20 == 0 ? 1 : 0;
    EXPECT_EQ(patient.check(Phase::receiving, blanks, at(std::chrono::seconds(second))), Verdict::fine) << second;
  }
  EXPECT_EQ(patient.check(Phase::receiving, blanks, at(359s)), Verdict::fine);
  EXPECT_EQ(patient.check(Phase::receiving, blanks, at(361s)), Verdict::stalled);
}

TEST_F(ProgressWatchTest, TimeUpToTheLastByteIsProgress) {
  watch_.check(Phase::connecting, 0, at(3s));
  watch_.check(Phase::sending, 0, at(4s));
  EXPECT_EQ(watch_.take_progress(), 0s);  // the connection
  watch_.check(Phase::sending, 10, at(6s));
  watch_.check(Phase::sending, 10, at(9s));  // other transfers make the loop look too
  EXPECT_EQ(watch_.take_progress(), 2s);
  watch_.check(Phase::sending, 20, at(10s));
  EXPECT_EQ(watch_.take_progress(), 4s);
  watch_.check(Phase::waiting, 30, at(11s));
  watch_.check(Phase::waiting, 30, at(15s));
  EXPECT_EQ(watch_.take_progress(), 1s);
  watch_.check(Phase::receiving, 31, at(18s));
  EXPECT_EQ(watch_.take_progress(), 0s);  // the server's time
  watch_.check(Phase::receiving, 40, at(19s));
  EXPECT_EQ(watch_.take_progress(), 1s);
}

TEST_F(ProgressWatchTest, ThePatientCountTheServersWorkAsProgress) {
  ProgressWatch patient({.first_byte = 120s, .low_speed_bytes_per_second = 1, .low_speed_time = 60s, .patient = true}, start_);
  patient.check(Phase::connecting, 0, at(3s));
  patient.check(Phase::waiting, 0, at(4s));
  patient.check(Phase::waiting, 0, at(14s));
  EXPECT_EQ(patient.take_progress(), 10s);
  patient.check(Phase::receiving, 1, at(20s));
  EXPECT_EQ(patient.take_progress(), 6s);
}

}  // namespace
}  // namespace prefixfs::http
