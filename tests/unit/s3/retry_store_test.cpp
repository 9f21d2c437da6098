#include "retry_store.h"

#include <gmock/gmock.h>

#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/seed.h"
#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

using namespace std::chrono_literals;
using test::code_of;
using test::Fault;
using test::get_text;
using test::put_text;
using test::why;
using testing::HasSubstr;

namespace {

Error error_of(Errc code, int status = 0, const std::string& s3_code = {}) {
  Error error{code, "a fault of the test", {}};
  error.origin.http_status = status;
  error.origin.s3_code = s3_code;
  return error;
}

Fault fault(const std::string& operation, Error error, int count = 1) {
  Fault f;
  f.operation = operation;
  f.error = std::move(error);
  f.count = count;
  return f;
}

Fault lost(const std::string& operation, int count = 1) {
  Fault f = fault(operation, error_of(Errc::unavailable), count);
  f.after_the_work = true;
  return f;
}

}  // namespace

class RetryTest : public testing::Test {
 protected:
  test::FakeClock clock;
  test::SeededRandom random{7};
  test::ListLog log;
  test::MemoryStore memory{clock};
  test::FaultyStore inner{memory};
  RetryStore store{inner, RetryOptions{}, clock, random, log};

  /// What another client does while our answer is under way.
  void meanwhile(const std::string& operation, std::function<void()> deed) {
    inner.before_each([this, operation, deed, done = false](const test::FaultyStore::Call& call) mutable {
      if (!done && call.operation == operation) {
        done = true;
        clock.advance(5s);
        deed();
      }
    });
  }
};

TEST(Backoff, StaysWithinItsBounds) {
  EXPECT_EQ(backoff(1, false, 0), 0ns);
  std::chrono::nanoseconds largest[3] = {};
  test::SeededRandom random{3};
  for (int i = 0; i < 2000; ++i) {
    largest[0] = std::max(largest[0], backoff(1, false, random.next()));
    largest[1] = std::max(largest[1], backoff(1, true, random.next()));
    largest[2] = std::max(largest[2], backoff(30, false, random.next()));
  }
  EXPECT_LE(largest[0], 50ms);
  EXPECT_GT(largest[0], 45ms);
  EXPECT_LE(largest[1], 500ms);
  EXPECT_GT(largest[1], 450ms);
  EXPECT_LE(largest[2], 20s);
  EXPECT_GT(largest[2], 19s);
}

TEST_F(RetryTest, RetriesWhatMaySucceedLater) {
  memory.put_text("a", "x");
  for (const Errc code : {Errc::unavailable, Errc::throttled, Errc::timeout}) {
    inner.forget_calls();
    inner.add(fault("HeadObject", error_of(code), 2));
    const auto info = store.head(Key("a"), {});
    EXPECT_TRUE(info) << why(info);
    EXPECT_EQ(inner.count("HeadObject"), 3);
  }
}

TEST_F(RetryTest, DoesNotRetryADecision) {
  for (const Errc code :
       {Errc::not_found, Errc::denied, Errc::conflict, Errc::credentials, Errc::invalid, Errc::corrupt, Errc::cancelled}) {
    inner.forget_calls();
    inner.add(fault("HeadObject", error_of(code)));
    EXPECT_EQ(code_of(store.head(Key("a"), {})), to_string(code));
    EXPECT_EQ(inner.count(), 1);
  }
  EXPECT_TRUE(clock.naps().empty());
  EXPECT_EQ(log.count(LogLevel::warn), 0);
}

TEST_F(RetryTest, GivesUpAfterTheLastAttemptWithOneWarning) {
  inner.add(fault("HeadObject", error_of(Errc::unavailable, 500, "InternalError"), -1));
  const auto info = store.head(Key("a"), {});
  EXPECT_EQ(code_of(info), "unavailable");
  EXPECT_EQ(info.error().origin.attempt, 5);
  EXPECT_EQ(inner.count(), 5);
  EXPECT_EQ(clock.naps().size(), 4U);
  ASSERT_EQ(log.lines.size(), 5U);  // one for each attempt
  EXPECT_EQ(log.lines.back().first, LogLevel::warn);
  EXPECT_EQ(log.lines.front().first, LogLevel::debug);
  const std::string line = log.lines.back().second;
  for (const char* part : {"HeadObject", "\"a\"", "500", "InternalError", "attempt 5 of 5", "giving up"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
}

TEST_F(RetryTest, HonoursRetryAfter) {
  memory.put_text("a", "x");
  Error slow = error_of(Errc::throttled, 503, "SlowDown");
  slow.origin.retry_after_seconds = 7;
  inner.add(fault("HeadObject", slow));
  EXPECT_TRUE(store.head(Key("a"), {}));
  ASSERT_EQ(clock.naps().size(), 1U);
  EXPECT_GE(clock.naps()[0], 7s);
  EXPECT_EQ(log.count(LogLevel::warn), 1);  // a long wait is told
}

TEST_F(RetryTest, NeverWaitsBeyondTheDeadline) {
  Error slow = error_of(Errc::throttled, 503, "SlowDown");
  slow.origin.retry_after_seconds = 7;
  inner.add(fault("HeadObject", slow, -1));
  CallContext context;
  context.deadline = clock.steady() + 5s;
  EXPECT_EQ(code_of(store.head(Key("a"), context)), "throttled");
  EXPECT_EQ(inner.count(), 1);
  EXPECT_TRUE(clock.naps().empty());
  context.deadline = clock.steady();
  EXPECT_EQ(code_of(store.head(Key("a"), context)), "timeout");
}

TEST_F(RetryTest, ACancelledCallEnds) {
  std::stop_source stop;
  CallContext context;
  context.cancel = stop.get_token();
  inner.before_each([&](const auto&) { stop.request_stop(); });
  inner.add(fault("HeadObject", error_of(Errc::unavailable), -1));
  EXPECT_FALSE(store.head(Key("a"), context));
  EXPECT_EQ(inner.count(), 1);
  EXPECT_EQ(code_of(store.head(Key("a"), context)), "cancelled");
  EXPECT_EQ(inner.count(), 1);
}

class PersistentRetryTest : public RetryTest {
 protected:
  void empty_the_budget() {
    inner.add(fault("HeadObject", error_of(Errc::unavailable), 13 * 5));
    for (int i = 0; i < 13; ++i) {  // 500 tokens, 10 for each retry, 4 retries each
      EXPECT_FALSE(store.head(Key("a"), {}));
    }
    inner.forget_calls();
    naps_before = clock.naps().size();
  }
  std::vector<std::chrono::nanoseconds> naps() const {
    const auto all = clock.naps();
    return {all.begin() + static_cast<std::ptrdiff_t>(naps_before), all.end()};
  }
  std::size_t naps_before = 0;
};

TEST_F(PersistentRetryTest, AnEmptyBudgetSlowsRetriesDownAndEndsNoCall) {
  empty_the_budget();
  memory.put_text("a", "x");
  inner.add(fault("HeadObject", error_of(Errc::unavailable), 3));
  EXPECT_EQ(code_of(store.head(Key("a"), {.deadline = clock.steady() + 10s, .cancel = {}})), "");
  EXPECT_EQ(inner.count(), 4);
  for (const auto nap : naps()) {
    EXPECT_GE(nap, 1s);
    EXPECT_LE(nap, 2s);
  }
}

TEST_F(PersistentRetryTest, AnEmptyBudgetLastsAsLongAsTheCall) {
  empty_the_budget();
  inner.add(fault("HeadObject", error_of(Errc::unavailable), -1));
  const SteadyTime begin = clock.steady();
  EXPECT_EQ(code_of(store.head(Key("a"), {.deadline = clock.steady() + 5s, .cancel = {}})), "unavailable");
  EXPECT_GE(clock.steady() - begin, 3s);
  EXPECT_LE(inner.count(), 5);
}

TEST_F(PersistentRetryTest, ARetryThatSucceedsIsPaidBack) {
  memory.put_text("a", "x");
  for (int i = 0; i < 200; ++i) {  // would take 2000 tokens
    inner.add(fault("HeadObject", error_of(Errc::unavailable)));
    ASSERT_EQ(code_of(store.head(Key("a"), {})), "");
  }
  for (const auto nap : clock.naps()) {
    EXPECT_LE(nap, 50ms);
  }
}

TEST_F(RetryTest, AMovingDeadlineBoundsTheCallToo) {
  inner.add(fault("HeadObject", error_of(Errc::unavailable), -1));
  MovingDeadline moving(clock.steady() + 10ms);
  EXPECT_EQ(code_of(store.head(Key("a"), {.deadline = SteadyTime::max(), .cancel = {}, .moving = &moving})), "unavailable");
  EXPECT_EQ(inner.count(), 1);
}

TEST_F(RetryTest, AGetBeginsAgain) {
  memory.put_text("a", "content");
  inner.add(lost("GetObject"));
  test::StringSink sink;
  const auto answer = store.get(Key("a"), {}, sink, {});
  EXPECT_TRUE(answer) << why(answer);
  EXPECT_EQ(sink.begun, 2);
  EXPECT_EQ(sink.text, "content");
}

// ---- Writes whose answer was lost ----

TEST_F(RetryTest, AWriteThatTookPlaceIsNotRepeated) {
  for (const WriteCondition& condition : {WriteCondition::none(), WriteCondition::if_absent()}) {
    memory.erase("a");
    inner.forget_calls();
    inner.add(lost("PutObject"));
    const auto put = put_text(store, Key("a"), "mine", condition);
    ASSERT_TRUE(put) << why(put);
    EXPECT_EQ(put->etag, memory.info("a")->etag);
    EXPECT_EQ(inner.count("PutObject"), 1);
    EXPECT_EQ(inner.count("HeadObject"), 1);
  }
}

TEST_F(RetryTest, AWriteThatDidNotTakePlaceIsSentAgain) {
  const ETag old = memory.put_text("a", "old");
  for (const WriteCondition& condition : {WriteCondition::none(), WriteCondition::if_match(old)}) {
    memory.put_text("a", "old");
    clock.advance(10s);
    inner.add(fault("PutObject", error_of(Errc::unavailable)));
    const auto put = put_text(store, Key("a"), "mine", condition);
    ASSERT_TRUE(put) << why(put);
    EXPECT_EQ(memory.text("a"), "mine");
  }
}

TEST_F(RetryTest, AnUnconditionalWriteDoesNotUndoAnothersLaterWrite) {
  memory.put_text("a", "old");
  inner.add(lost("PutObject"));
  meanwhile("HeadObject", [&] { memory.put_text("a", "another client's"); });
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine")), "conflict");
  EXPECT_EQ(memory.text("a"), "another client's");
}

TEST_F(RetryTest, TheSecondAttemptOfAnUnconditionalWriteIsConditional) {
  memory.put_text("a", "old");
  inner.add(fault("PutObject", error_of(Errc::unavailable)));
  int puts = 0;
  inner.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "PutObject" && ++puts == 2) {
      memory.put_text("a", "between HEAD and PUT");
    }
  });
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine")), "conflict");
  EXPECT_EQ(memory.text("a"), "between HEAD and PUT");
}

TEST_F(RetryTest, AConditionThatFailsAfterALostAnswerIsLookedInto) {
  // The first attempt arrives only after the HEAD found nothing.
  inner.add(fault("PutObject", error_of(Errc::timeout)));
  int puts = 0;
  inner.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "PutObject" && ++puts == 2) {
      memory.put_text("a", "mine");
    }
  });
  const auto put = put_text(store, Key("a"), "mine", WriteCondition::if_absent());
  EXPECT_TRUE(put) << why(put);
  EXPECT_EQ(inner.count("HeadObject"), 2);
}

TEST_F(RetryTest, AnothersObjectIsNotTakenForOurs) {
  inner.add(fault("PutObject", error_of(Errc::unavailable)));
  meanwhile("HeadObject", [&] { memory.put_text("a", "mime"); });
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(memory.text("a"), "mime");
}

TEST_F(RetryTest, AConflictWithoutALostAnswerIsPlain) {
  memory.put_text("a", "mine");
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(inner.count("HeadObject"), 0);
  // SlowDown is said before the work.
  inner.forget_calls();
  inner.add(fault("PutObject", error_of(Errc::throttled, 503, "SlowDown")));
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(inner.count("HeadObject"), 0);
}

TEST_F(RetryTest, AConflictWithOnesOwnFirstTryIsNone) {
  // libcurl sends a PUT again when a reused connection dies; the first one had arrived.
  Error conflict = error_of(Errc::conflict, 412, "PreconditionFailed");
  conflict.origin.sent_twice = true;
  inner.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "PutObject") {
      memory.put_text("a", "mine");
    }
  });
  inner.add(fault("PutObject", conflict));
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "");
  inner.add(fault("PutObject", conflict));
  EXPECT_EQ(code_of(put_text(store, Key("a"), "other", WriteCondition::if_absent())), "conflict");
}

TEST_F(RetryTest, AConflictWithOnesOwnFirstTryIsNoneAlsoWhenItCannotBeLookedInto) {
  Error conflict = error_of(Errc::conflict, 412, "PreconditionFailed");
  conflict.origin.sent_twice = true;
  memory.put_text("a", "mine");
  inner.add(fault("PutObject", conflict));
  inner.add(fault("HeadObject", error_of(Errc::throttled, 503, "SlowDown")));
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "");
}

TEST_F(RetryTest, WhatWasWrittenSinceIsToldByS3sClock) {
  for (const auto off : {-10h, 10h}) {
    test::FakeClock s3_clock;
    test::MemoryStore bucket(s3_clock);
    test::FaultyStore answers(bucket);
    RetryStore sender(answers, RetryOptions{}, clock, random, log);
    clock.set_now(s3_clock.now() + off);
    bucket.put_text("a", "old");
    s3_clock.advance(10s);
    answers.add(fault("PutObject", error_of(Errc::unavailable)));
    EXPECT_EQ(code_of(put_text(sender, Key("a"), "mine")), "");
    answers.add(fault("PutObject", error_of(Errc::unavailable)));
    answers.before_each([&](const test::FaultyStore::Call& call) {
      if (call.operation == "HeadObject") {
        for (const Clock* one : {static_cast<const Clock*>(&clock), static_cast<const Clock*>(&s3_clock)}) {
          one->sleep_for(5s, {});
        }
        bucket.put_text("a", "another client's");
      }
    });
    EXPECT_EQ(code_of(put_text(sender, Key("a"), "mine")), "conflict");
  }
}

TEST_F(RetryTest, A409IsSentOnceMore) {
  inner.add(fault("PutObject", error_of(Errc::conflict, 409, "ConditionalRequestConflict")));
  EXPECT_EQ(code_of(put_text(store, Key("a"), "mine", WriteCondition::if_absent())), "");
  inner.add(fault("PutObject", error_of(Errc::conflict, 409, "ConditionalRequestConflict"), 2));
  EXPECT_EQ(code_of(put_text(store, Key("b"), "mine", WriteCondition::if_absent())), "conflict");
}

TEST_F(RetryTest, ACopyThatTookPlaceIsNotRepeated) {
  memory.put_text("from", "x");
  inner.add(lost("CopyObject"));
  const auto copied = store.copy({Key("from"), {}}, Key("to"), {}, {});
  ASSERT_TRUE(copied) << why(copied);
  EXPECT_EQ(inner.count("CopyObject"), 1);
  EXPECT_EQ(copied->etag, memory.info("to")->etag);
}

TEST_F(RetryTest, ACopyOntoItselfIsToldByItsAttributes) {
  ObjectHeaders old;
  old.user_metadata = {{"mode", "1"}};
  CopyOptions options;
  options.replace = old;
  options.replace->user_metadata = {{"mode", "2"}};
  memory.put_text("a", "x", old);
  inner.add(fault("CopyObject", error_of(Errc::unavailable)));  // did not take place
  EXPECT_EQ(code_of(store.copy({Key("a"), {}}, Key("a"), options, {})), "");
  EXPECT_EQ(inner.count("CopyObject"), 2);
  EXPECT_EQ(memory.info("a")->user_metadata, options.replace->user_metadata);
}

TEST_F(RetryTest, ACompletionThatTookPlaceIsRecognised) {
  memory.set_part_bytes_min(1);
  const auto id = store.create_upload(Key("a"), {}, {});
  ASSERT_TRUE(id);
  std::vector<UploadedPart> parts;
  for (int number = 1; number <= 3; ++number) {
    parts.push_back(*store.upload_part(Key("a"), *id, number, test::TextSource("part"), {}));
  }
  inner.add(lost("CompleteMultipartUpload"));
  const auto done = store.complete_upload(Key("a"), *id, parts, WriteCondition::if_absent(), {});
  ASSERT_TRUE(done) << why(done);
  EXPECT_EQ(done->etag, memory.info("a")->etag);
  EXPECT_EQ(memory.text("a"), "partpartpart");
  // Without a lost answer a missing upload is a missing upload.
  EXPECT_EQ(code_of(store.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "not_found");
}

TEST_F(RetryTest, ACompletionThatLibcurlSentTwiceIsRecognised) {
  memory.set_part_bytes_min(1);
  const auto id = store.create_upload(Key("a"), {}, {});
  const std::vector<UploadedPart> parts{*store.upload_part(Key("a"), *id, 1, test::TextSource("part"), {})};
  ASSERT_TRUE(memory.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {}));
  Error gone = error_of(Errc::not_found, 404, "NoSuchUpload");
  gone.origin.sent_twice = true;
  inner.add(fault("CompleteMultipartUpload", gone));
  const auto done = store.complete_upload(Key("a"), *id, parts, WriteCondition::if_absent(), {});
  ASSERT_TRUE(done) << why(done);
  EXPECT_EQ(done->etag, memory.info("a")->etag);
}

TEST_F(RetryTest, ACompletionOfAnotherObjectIsNotTakenForOurs) {
  memory.set_part_bytes_min(1);
  const auto id = store.create_upload(Key("a"), {}, {});
  const std::vector<UploadedPart> parts{*store.upload_part(Key("a"), *id, 1, test::TextSource("mine"), {})};
  inner.add(lost("CompleteMultipartUpload"));
  int calls = 0;
  inner.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "CompleteMultipartUpload" && ++calls == 2) {
      memory.put_text("a", "else");
    }
  });
  EXPECT_EQ(code_of(store.complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "not_found");
  EXPECT_EQ(memory.text("a"), "else");
}

}  // namespace prefixfs::s3
