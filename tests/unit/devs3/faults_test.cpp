#include "faults.h"

#include <future>

#include "endpoint_fixture.h"

namespace prefixfs::devs3 {
namespace {

TEST(FaultRules, SkipCountAndMatching) {
  Faults faults;
  faults.replace({{.operation = "GetObject", .key = "x", .skip = 1, .count = 2, .action = FaultAction::reset}});
  EXPECT_FALSE(faults.decide("PutObject", "x").active);
  EXPECT_FALSE(faults.decide("GetObject", "a").active);
  EXPECT_FALSE(faults.decide("GetObject", "axb").active) << "skipped";
  EXPECT_TRUE(faults.decide("GetObject", "axb").is(FaultAction::reset));
  EXPECT_TRUE(faults.decide("GetObject", "x").active);
  EXPECT_FALSE(faults.decide("GetObject", "x").active) << "used up";
  EXPECT_EQ(faults.counts()[0].fired, 2);
  EXPECT_EQ(faults.counts()[0].matched, 4);
}

TEST(FaultRules, LatenciesAddUpAndTheFirstOtherRuleWins) {
  Faults faults;
  faults.set_base_latency(std::chrono::milliseconds(5));
  faults.replace({{.action = FaultAction::latency, .latency_ms = 10},
                  {.action = FaultAction::status},
                  {.action = FaultAction::reset},
                  {.action = FaultAction::latency, .latency_ms = 20}});
  const auto fault = faults.decide("GetObject", "");
  EXPECT_EQ(fault.latency.count(), 35);
  EXPECT_TRUE(fault.is(FaultAction::status));
  EXPECT_EQ(faults.counts()[2].fired, 0);
}

TEST(FaultRules, ASeedMeansTheSameEveryTime) {
  const auto run = [](std::uint64_t seed) {
    Faults faults;
    faults.replace({{.probability = 0.5, .seed = seed}});
    std::string out;
    for (int i = 0; i < 64; ++i) {
      out += faults.decide("GetObject", "").active ? '1' : '0';
    }
    return out;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
  const auto hits = std::ranges::count(run(7), '1');
  EXPECT_GT(hits, 16);
  EXPECT_LT(hits, 48);
}

class FaultsOnTheWire : public EndpointTest {
 protected:
  void rule(const std::string& json) { ASSERT_EQ(control("POST", "faults", json), nlohmann::json::object()); }
};

TEST_F(FaultsOnTheWire, Status) {
  rule(R"([{"operation":"GetObject","action":"status","status":503,"code":"SlowDown","retry_after":2,"count":1}])");
  const auto slow = get("a");
  EXPECT_EQ(slow.status, 503);
  EXPECT_EQ(slow.code(), "SlowDown");
  EXPECT_EQ(slow.headers.at("retry-after"), "2");
  EXPECT_EQ(get("a").code(), "NoSuchKey");
  EXPECT_EQ(control("GET", "faults")[0]["hits"], 1);
}

TEST_F(FaultsOnTheWire, ResetDoesNothingAndLostAnswerDoesIt) {
  rule(R"([{"operation":"PutObject","key":"lost","action":"lost_answer"},{"operation":"PutObject","action":"reset"}])");
  EXPECT_EQ(put("a", "x").status, 0);
  EXPECT_EQ(put("lost", "x").status, 0);
  EXPECT_EQ(get("a").status, 404);
  EXPECT_EQ(get("lost").body, "x");
  const auto log = control("GET", "log");
  EXPECT_EQ(log[0]["status"], 0);
  EXPECT_EQ(log[0]["fault"], "reset");
}

TEST_F(FaultsOnTheWire, BrokenBodies) {
  const std::string body(100'000, 'b');
  put("a", body);
  rule(R"([{"action":"truncate","count":1},{"action":"reset_mid_body","count":1},{"action":"corrupt_body","count":1}])");
  const auto truncated = get("a");
  EXPECT_EQ(truncated.headers.at("content-length"), "100000");
  EXPECT_EQ(truncated.body.size(), 50'000u);
  EXPECT_LE(get("a").body.size(), 50'000u);
  const auto corrupt = get("a");
  ASSERT_EQ(corrupt.body.size(), body.size());
  const auto [wrong, right] = std::ranges::mismatch(corrupt.body, body);
  EXPECT_EQ(wrong - corrupt.body.begin(), 50'000);
  EXPECT_EQ(std::ranges::count(corrupt.body, 'b'), 99'999);
  EXPECT_EQ(get("a").body, body);
}

TEST_F(FaultsOnTheWire, ErrorIn200) {
  put("a", "x");
  rule(R"({"operation":"CopyObject","action":"error_in_200","code":"InternalError"})");
  const auto copied = send({.method = "PUT", .target = "/bucket/b", .headers = {{"x-amz-copy-source", "bucket/a"}}});
  EXPECT_EQ(copied.status, 200);
  EXPECT_EQ(copied.code(), "InternalError");
  EXPECT_EQ(get("b").status, 404);
}

TEST_F(FaultsOnTheWire, HangEndsWhenTheRulesAreReplaced) {
  rule(R"({"operation":"GetObject","action":"hang"})");
  auto hanging = std::async(std::launch::async, [&] { return get("a").status; });
  while (control("GET", "faults")[0]["hits"] != 1) {
  }
  rule("[]");
  EXPECT_EQ(hanging.get(), 0);
}

TEST_F(FaultsOnTheWire, Latency) {
  control("POST", "latency", R"({"ms":60})");
  const auto begun = std::chrono::steady_clock::now();
  get("a");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(60));
}

TEST_F(FaultsOnTheWire, WrongRulesAreToldSo) {
  EXPECT_TRUE(control("POST", "faults", R"({"action":"explode"})").contains("error"));
  EXPECT_TRUE(control("POST", "faults", R"({"actoin":"reset"})").contains("error"));
  EXPECT_TRUE(control("POST", "faults", R"({"count":"many"})").contains("error"));
}

}  // namespace
}  // namespace prefixfs::devs3
