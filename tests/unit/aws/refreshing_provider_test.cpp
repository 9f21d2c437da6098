#include "refreshing_provider.h"

#include <atomic>
#include <condition_variable>
#include <thread>

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

using ::testing::HasSubstr;

/// A source in the hands of the test: what it answers, and when. Thread-safe.
class HeldSource final : public CredentialsSource {
 public:
  struct State {
    std::mutex mutex;
    std::condition_variable_any changed;
    Result<Answer> answer = Result<Answer>(fail(Errc::credentials, "nothing yet"));
    bool held = false;
    int begun = 0;

    void set(Result<Answer> next) {
      const std::lock_guard lock(mutex);
      answer = std::move(next);
    }
    void hold(bool value) {
      const std::lock_guard lock(mutex);
      held = value;
      changed.notify_all();
    }
    bool wait_begun(int count) { return wait([&] { return begun >= count; }); }
    int count() {
      const std::lock_guard lock(mutex);
      return begun;
    }

   private:
    template <class Predicate>
    bool wait(Predicate predicate) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, 10s, predicate);
    }
  };

  explicit HeldSource(State& state) : state_(state) {}
  std::string name() const override { return "held"; }
  Result<Answer> fetch(const CallContext& context) override {
    std::unique_lock lock(state_.mutex);
    ++state_.begun;
    state_.changed.notify_all();
    if (!state_.changed.wait(lock, context.cancel, [this] { return !state_.held; })) {
      return fail(Errc::cancelled, "ended");
    }
    return state_.answer;
  }

 private:
  State& state_;
};

class RefreshingProviderTest : public ::testing::Test {
 protected:
  CredentialsSource::Answer keys(const std::string& id, std::chrono::seconds lifetime) const {
    return Credentials{id, "geheim-" + id, "t", clock_.now() + lifetime, "held"};
  }
  static Credentials lasting(const std::string& id) { return {id, "geheim-" + id, "", std::nullopt, "held"}; }
  static Result<CredentialsSource::Answer> down(const std::string& why = "the source is down") {
    return Result<CredentialsSource::Answer>(fail(Errc::credentials, why));
  }

  std::string id() {
    const auto credentials = provider_->get(soon());
    return credentials ? credentials->access_key_id : "error: " + credentials.error().what;
  }
  /// Waits in the background for what a refresh brings.
  bool becomes(const std::string& expected) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (id() != expected) {
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }
  /// Waits until the log has it: then the provider has noted the failure.
  bool logs(const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (log_.text().find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }
  static CallContext soon() { return {.deadline = std::chrono::steady_clock::now() + 10s, .cancel = {}}; }

  FakeClock clock_;
  RecordingLog log_;
  HeldSource::State source_;
  std::unique_ptr<RefreshingProvider> provider_ = std::make_unique<RefreshingProvider>(std::make_unique<HeldSource>(source_), clock_, log_);
};

TEST_F(RefreshingProviderTest, AsksNobodyBeforeTheFirstGet) { EXPECT_EQ(source_.count(), 0); }

TEST_F(RefreshingProviderTest, KeepsWhatItHas) {
  source_.set(keys("A", 6h));
  EXPECT_EQ(id(), "A");
  clock_.advance(5h);
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 1);
}

TEST_F(RefreshingProviderTest, KeysWithoutExpiryAreNeverAskedForAgain) {
  source_.set(lasting("A"));
  EXPECT_EQ(id(), "A");
  clock_.advance(24h * 1000);
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 1);
}

TEST_F(RefreshingProviderTest, AdvisoryRefreshIsInTheBackground) {
  source_.set(keys("A", 1h));
  EXPECT_EQ(id(), "A");
  clock_.advance(44min);
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 1);
  source_.hold(true);
  clock_.advance(2min);
  EXPECT_EQ(id(), "A") << "nobody waits";
  ASSERT_TRUE(source_.wait_begun(2));
  EXPECT_EQ(id(), "A");
  source_.set(keys("B", 1h));
  source_.hold(false);
  EXPECT_TRUE(becomes("B"));
  EXPECT_EQ(source_.count(), 2);
}

TEST_F(RefreshingProviderTest, MandatoryRefreshMakesCallersWait) {
  source_.set(keys("A", 1h));
  EXPECT_EQ(id(), "A");
  clock_.advance(56min);
  source_.set(keys("B", 1h));
  EXPECT_EQ(id(), "B");
}

TEST_F(RefreshingProviderTest, ManyCallersOneFetch) {
  source_.set(keys("A", 1h));
  source_.hold(true);
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 32; ++i) {
      callers.emplace_back([&] { right += id() == "A" ? 1 : 0; });
    }
    ASSERT_TRUE(source_.wait_begun(1));
    source_.hold(false);
  }
  EXPECT_EQ(right, 32);
  EXPECT_EQ(source_.count(), 1);
}

TEST_F(RefreshingProviderTest, NothingAtBootThenAvailable) {
  const auto first = provider_->get(soon());
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, Errc::credentials);
  EXPECT_EQ(first.error().what, "nothing yet");
  source_.set(keys("A", 1h));
  EXPECT_EQ(id(), "error: nothing yet") << "within the pause the answer is ready at once";
  EXPECT_EQ(source_.count(), 1);
  clock_.advance(1s);
  EXPECT_EQ(id(), "A");
}

TEST_F(RefreshingProviderTest, SourceThatIsNotThereIsAnError) {
  source_.set(NotHere{"not set up"});
  EXPECT_EQ(id(), "error: not set up");
}

TEST_F(RefreshingProviderTest, OldCredentialsStayInUseWhileTheSourceIsDown) {
  source_.set(keys("A", 1h));
  EXPECT_EQ(id(), "A");
  source_.set(down("outage 1"));
  clock_.advance(56min);
  EXPECT_EQ(id(), "A");
  EXPECT_THAT(log_.text(), HasSubstr("credentials: outage 1; the old ones stay in use"));
  source_.set(down("outage 2"));
  clock_.advance(10min);  // past their expiry: S3 decides
  EXPECT_EQ(id(), "A");
  ASSERT_TRUE(logs("outage 2"));
  source_.set(keys("B", 1h));
  clock_.advance(61s);
  EXPECT_TRUE(becomes("B"));
}

TEST_F(RefreshingProviderTest, ASourceThatIsDownIsAskedLessAndLess) {
  source_.set(keys("A", 1h));
  EXPECT_EQ(id(), "A");
  clock_.advance(50min);
  int asked = 1;
  for (const std::chrono::seconds pause : {0s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    if (pause > 0s) {
      clock_.advance(pause - 1s);
      EXPECT_EQ(id(), "A");
      EXPECT_EQ(source_.count(), asked) << "before the pause of " << pause.count() << " s is over";
      clock_.advance(1s);
    }
    const std::string why = "outage " + std::to_string(++asked) + ";";
    source_.set(down(why));
    EXPECT_EQ(id(), "A");
    ASSERT_TRUE(logs(why));
  }
}

TEST_F(RefreshingProviderTest, RefusedCredentialsAreAskedForAgain) {
  source_.set(lasting("A"));
  EXPECT_EQ(id(), "A");
  provider_->refused(lasting("A"));
  source_.set(lasting("B"));
  EXPECT_EQ(id(), "B");
  EXPECT_EQ(source_.count(), 2);
}

TEST_F(RefreshingProviderTest, LateRefusalOfOldCredentialsCostsNothing) {
  source_.set(lasting("B"));
  EXPECT_EQ(id(), "B");
  provider_->refused(lasting("A"));
  EXPECT_EQ(id(), "B");
  EXPECT_EQ(source_.count(), 1);
}

TEST_F(RefreshingProviderTest, SameKeysAfterARefusalAreNotAskedForAtEachCall) {
  source_.set(lasting("A"));
  EXPECT_EQ(id(), "A");
  for (int i = 0; i < 5; ++i) {
    provider_->refused(lasting("A"));
    EXPECT_EQ(id(), "A");
  }
  EXPECT_EQ(source_.count(), 2);
  clock_.advance(1s);
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 3);
}

TEST_F(RefreshingProviderTest, RefusedAndTheSourceDownIsAnError) {
  source_.set(lasting("A"));
  EXPECT_EQ(id(), "A");
  provider_->refused(lasting("A"));
  source_.set(down());
  EXPECT_EQ(id(), "error: the source is down");
  source_.set(lasting("B"));
  clock_.advance(1s);
  EXPECT_EQ(id(), "B");
}

TEST_F(RefreshingProviderTest, ShortLivedCredentialsAreRefreshedHalfway) {
  source_.set(keys("A", 10s));
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 1) << "not at each call, though they are within the window";
  source_.set(keys("B", 10s));
  clock_.advance(8s);
  EXPECT_EQ(id(), "B");
}

TEST_F(RefreshingProviderTest, CredentialsThatComeExpiredAreUsed) {
  source_.set(keys("A", -1h));
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(id(), "A");
  EXPECT_EQ(source_.count(), 1);
  source_.set(keys("B", 1h));
  clock_.advance(61s);
  EXPECT_TRUE(becomes("B"));
}

TEST_F(RefreshingProviderTest, WaitObeysTheDeadline) {
  source_.hold(true);
  const auto credentials = provider_->get({.deadline = std::chrono::steady_clock::now() + 20ms, .cancel = {}});
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().code, Errc::timeout);
}

TEST_F(RefreshingProviderTest, WaitObeysCancel) {
  source_.hold(true);
  std::stop_source stop;
  std::jthread canceller([&] {
    source_.wait_begun(1);
    stop.request_stop();
  });
  const auto credentials = provider_->get({.deadline = SteadyTime::max(), .cancel = stop.get_token()});
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().code, Errc::cancelled);
}

TEST_F(RefreshingProviderTest, DestructionEndsAFetch) {
  source_.hold(true);
  ASSERT_FALSE(provider_->get({.deadline = std::chrono::steady_clock::now() + 1ms, .cancel = {}}));
  ASSERT_TRUE(source_.wait_begun(1));
  provider_.reset();
  SUCCEED();
}

TEST_F(RefreshingProviderTest, LogsWhoItIsAndNoSecret) {
  source_.set(keys("ASIAIOSFODNN7EXAMPLE", 1h));
  EXPECT_EQ(id(), "ASIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(log_.text(), "credentials: ASIA...MPLE from held, valid until 2026-11-21T01:00:00.000Z\n");
}

}  // namespace
}  // namespace prefixfs::aws
