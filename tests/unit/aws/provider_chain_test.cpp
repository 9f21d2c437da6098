#include "provider_chain.h"

#include <functional>

#include "aws_fixture.h"

namespace prefixfs::aws {
namespace {

/// Answers as the test says, and counts.
class ScriptedSource final : public CredentialsSource {
 public:
  struct State {
    std::string name;
    Result<Answer> answer = NotHere{"not set up"};
    int asked = 0;
  };
  explicit ScriptedSource(State& state) : state_(state) {}
  std::string name() const override { return state_.name; }
  Result<Answer> fetch(const CallContext&) override {
    ++state_.asked;
    return state_.answer;
  }

 private:
  State& state_;
};

class ProviderChainTest : public ::testing::Test {
 protected:
  static std::vector<std::unique_ptr<CredentialsSource>> sources(std::initializer_list<ScriptedSource::State*> states) {
    std::vector<std::unique_ptr<CredentialsSource>> result;
    for (ScriptedSource::State* state : states) {
      result.push_back(std::make_unique<ScriptedSource>(*state));
    }
    return result;
  }
  static Credentials keys(const std::string& id) { return {id, "geheim", "", std::nullopt, id}; }
  std::string source() { return credentials_of(chain_.fetch(no_limit())).source; }

  ScriptedSource::State first_{.name = "first"};
  ScriptedSource::State second_{.name = "second"};
  ScriptedSource::State third_{.name = "third"};
  ProviderChain chain_{sources({&first_, &second_, &third_})};
};

TEST_F(ProviderChainTest, FirstThatAnswersCounts) {
  second_.answer = keys("B");
  third_.answer = keys("C");
  EXPECT_EQ(source(), "B");
  EXPECT_EQ(third_.asked, 0);
}

TEST_F(ProviderChainTest, RemembersWhoAnswered) {
  second_.answer = keys("B");
  EXPECT_EQ(source(), "B");
  first_.answer = keys("A");
  EXPECT_EQ(source(), "B");
  EXPECT_EQ(first_.asked, 1);
}

TEST_F(ProviderChainTest, AFailureOfTheRememberedSourceDoesNotChangeIt) {
  second_.answer = keys("B");
  third_.answer = keys("C");
  EXPECT_EQ(source(), "B");
  second_.answer = Result<CredentialsSource::Answer>(fail(Errc::credentials, "is down"));
  const Error error = error_of(chain_.fetch(no_limit()));
  EXPECT_EQ(error.what, "no AWS credentials: second: is down");
  EXPECT_EQ(third_.asked, 0);
  second_.answer = keys("B2");
  EXPECT_EQ(source(), "B2");
}

TEST_F(ProviderChainTest, AsksAllAgainWhenTheRememberedSourceIsGone) {
  second_.answer = keys("B");
  EXPECT_EQ(source(), "B");
  second_.answer = NotHere{"removed"};
  third_.answer = keys("C");
  EXPECT_EQ(source(), "C");
}

TEST_F(ProviderChainTest, ErrorStopsTheChain) {
  second_.answer = Result<CredentialsSource::Answer>(fail(Errc::credentials, "is broken"));
  third_.answer = keys("C");
  const Error error = error_of(chain_.fetch(no_limit()));
  EXPECT_EQ(error.code, Errc::credentials);
  EXPECT_EQ(error.what, "no AWS credentials: first: not set up; second: is broken");
  EXPECT_EQ(third_.asked, 0);
}

TEST_F(ProviderChainTest, NothingAnywhereListsWhatWasTried) {
  const Error error = error_of(chain_.fetch(no_limit()));
  EXPECT_EQ(error.code, Errc::credentials);
  EXPECT_EQ(error.what, "no AWS credentials: first: not set up; second: not set up; third: not set up");
}

TEST_F(ProviderChainTest, CancelKeepsItsCode) {
  first_.answer = Result<CredentialsSource::Answer>(fail(Errc::cancelled, "interrupted"));
  EXPECT_EQ(error_of(chain_.fetch(no_limit())).code, Errc::cancelled);
}

}  // namespace
}  // namespace prefixfs::aws
