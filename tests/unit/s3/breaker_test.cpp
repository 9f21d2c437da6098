#include "prefixfs/s3/breaker.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"

namespace prefixfs::s3 {
namespace {

class BreakerTest : public testing::Test {
 protected:
  Result<ObjectInfo> head() { return breaking_->head(Key("key"), {}); }
  void fails(Errc code, const std::string& s3_code = {}) {
    Error error{code, "a fault", {}};
    error.origin.s3_code = s3_code;
    store_.add({.operation = "HeadObject", .count = 1, .error = error});
  }

  test::FakeClock clock_;
  std::unique_ptr<Log> log_ = make_null_log();
  test::MemoryStore memory_{clock_};
  test::FaultyStore store_{memory_};
  Breaker breaker_{clock_, *log_};
  std::unique_ptr<ObjectStore> probing_ = make_probing_store(store_, breaker_);
  std::unique_ptr<ObjectStore> watched_ = make_watched_store(store_, breaker_);
  std::unique_ptr<ObjectStore> breaking_ = make_breaking_store(*watched_, breaker_);
};

TEST_F(BreakerTest, AfterTheFirstOutageNobodyWaits) {
  fails(Errc::timeout);
  EXPECT_EQ(head().error().code, Errc::timeout);
  EXPECT_TRUE(breaker_.open());
  const auto second = head();
  EXPECT_EQ(second.error().code, Errc::unavailable);
  EXPECT_TRUE(second.error().origin.not_sent);
  EXPECT_EQ(store_.count("HeadObject"), 1);
}

TEST_F(BreakerTest, AnAnswerToAProbeClosesIt) {
  fails(Errc::unavailable);
  EXPECT_FALSE(head());
  EXPECT_FALSE(probing_->head(Key("key"), {})) << "not found, which is an answer";
  EXPECT_FALSE(breaker_.open());
  EXPECT_EQ(head().error().code, Errc::not_found);
}

TEST_F(BreakerTest, AProbeThatFailsOpensNothing) {
  fails(Errc::unavailable);
  EXPECT_EQ(probing_->head(Key("key"), {}).error().code, Errc::unavailable);
  EXPECT_FALSE(breaker_.open());
}

TEST_F(BreakerTest, AnswersAndInterruptionsAreNoOutage) {
  for (const Errc code : {Errc::not_found, Errc::denied, Errc::throttled, Errc::conflict, Errc::cancelled}) {
    fails(code);
    EXPECT_FALSE(head());
    EXPECT_FALSE(breaker_.open()) << to_string(code);
  }
}

TEST_F(BreakerTest, MissingCredentialsAndAWrongClockAre) {
  fails(Errc::credentials);
  EXPECT_FALSE(head());
  EXPECT_TRUE(breaker_.open());
  EXPECT_FALSE(probing_->head(Key("key"), {}));
  fails(Errc::denied, "RequestTimeTooSkewed");
  EXPECT_FALSE(head());
  EXPECT_TRUE(breaker_.open());
}

TEST_F(BreakerTest, AnInterruptionDoesNotCloseIt) {
  fails(Errc::unavailable);
  EXPECT_FALSE(head());
  fails(Errc::cancelled);
  EXPECT_FALSE(probing_->head(Key("key"), {}));
  EXPECT_TRUE(breaker_.open());
}

}  // namespace
}  // namespace prefixfs::s3
