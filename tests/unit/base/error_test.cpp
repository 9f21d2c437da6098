#include "prefixfs/base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "prefixfs/base/result.h"

namespace prefixfs {
namespace {

constexpr int kCodes = static_cast<int>(Errc::internal) + 1;

TEST(ErrorTest, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kCodes; ++i) {
    const std::string_view name = to_string(static_cast<Errc>(i));
    EXPECT_NE(name, "unknown") << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_string(Errc::not_found), "not_found");
  EXPECT_EQ(to_string(Errc::internal), "internal");
  EXPECT_EQ(to_string(static_cast<Errc>(200)), "unknown");
}

TEST(ErrorTest, OnlyThreeCodesAreWorthTheSameRequestAgain) {
  std::set<Errc> retried;
  for (int i = 0; i < kCodes; ++i) {
    if (retryable(static_cast<Errc>(i))) {
      retried.insert(static_cast<Errc>(i));
    }
  }
  EXPECT_EQ(retried, (std::set<Errc>{Errc::throttled, Errc::unavailable, Errc::timeout}));
}

TEST(ErrorTest, DescribesALocalErrorWithoutOrigin) {
  EXPECT_EQ(describe({Errc::io, "cannot write the stage file", {}}), "io: cannot write the stage file");
}

TEST(ErrorTest, DescribesAllThatIsKnownOfTheOrigin) {
  const Error error{Errc::denied,
                    "S3 refuses to write a/b; the role needs s3:PutObject",
                    {.operation = "PutObject",
                     .key = "a/b",
                     .http_status = 403,
                     .s3_code = "AccessDenied",
                     .request_id = "4F2A",
                     .attempt = 2}};
  EXPECT_EQ(describe(error),
            "denied: S3 refuses to write a/b; the role needs s3:PutObject (PutObject, key \"a/b\", status 403, AccessDenied, "
            "request 4F2A, attempt 2)");
}

TEST(ErrorTest, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(describe({Errc::timeout, "no answer", {.operation = "HeadObject", .key = {}, .s3_code = {}, .request_id = {}, .attempt = 1}}),
            "timeout: no answer (HeadObject, attempt 1)");
}

TEST(ErrorTest, StaysOneLineWithAHostileKey) {
  Error error{Errc::not_found, "no such key", {}};
  error.origin.key = "a\nerror: forged\x1b[2J";
  EXPECT_EQ(describe(error), "not_found: no such key (key \"a\\nerror: forged\\x1b[2J\")");
}

Result<int> half(int number) {
  if (number % 2 != 0) {
    return fail(Errc::invalid, "odd");
  }
  return number / 2;
}

Result<int> quarter(int number) {
  TRY_ASSIGN(const int halved, half(number));
  return half(halved);
}

Result<void> check_even(int number) {
  TRY(half(number));
  return {};
}

TEST(ResultTest, TryAssignPassesTheValueOrTheError) {
  EXPECT_EQ(quarter(12).value(), 3);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().what, "odd");
  EXPECT_EQ(quarter(5).error().code, Errc::invalid);
}

TEST(ResultTest, TryPassesTheError) {
  EXPECT_TRUE(check_even(2));
  ASSERT_FALSE(check_even(3));
  EXPECT_EQ(check_even(3).error().code, Errc::invalid);
}

}  // namespace
}  // namespace prefixfs
