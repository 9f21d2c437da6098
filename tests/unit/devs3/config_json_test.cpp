#include "config_json.h"

#include <gtest/gtest.h>

namespace prefixfs::devs3 {
namespace {

TEST(ConfigJson, KeysAndBuckets) {
  const auto read = parse_configuration(R"({"keys":[{"access":"A","secret":"S","session_token":"T","expires":"2030-01-01T00:00:00Z",
      "allow":["s3:GetObject"],"resources":["b/*"]},{"access":"B","secret":"S"}],
      "buckets":[{"name":"b","region":"eu-west-1","require_sse":"AES256","acls":true}]})");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->keys[0].session_token, "T");
  EXPECT_TRUE(read->keys[0].expires.has_value());
  EXPECT_EQ(*read->keys[0].allow, std::vector<std::string>{"s3:GetObject"});
  EXPECT_FALSE(read->keys[1].allow.has_value()) << "no list means everything";
  EXPECT_EQ(read->buckets[0].require_sse, "AES256");
  EXPECT_TRUE(read->buckets[0].acls);
}

TEST(ConfigJson, MistakesAreNamed) {
  const auto problem = [](std::string_view text) { return parse_configuration(text).error().what; };
  EXPECT_NE(problem("{").find("JSON object"), std::string::npos);
  EXPECT_NE(problem(R"({"key":[]})").find("'key'"), std::string::npos);
  EXPECT_NE(problem(R"({"keys":[{"access":"A"}]})").find("'secret'"), std::string::npos);
  EXPECT_NE(problem(R"({"keys":[{"access":"A","secret":7}]})").find("wrong type"), std::string::npos);
  EXPECT_NE(problem(R"({"keys":[{"access":"A","secret":"S","expires":"soon"}]})").find("ISO 8601"), std::string::npos);
}

TEST(ConfigJson, FaultRules) {
  const auto rules = parse_fault_rules(R"([{"operation":"PutObject","key":"k","skip":1,"count":2,"probability":0.5,"seed":9,
      "action":"status","status":500,"code":"InternalError","retry_after":3},{"action":"latency","ms":20},
      {"action":"slow_body","bytes_per_second":5}])");
  ASSERT_TRUE(rules) << rules.error().what;
  EXPECT_EQ((*rules)[0].status, 500);
  EXPECT_EQ((*rules)[0].retry_after_s, 3);
  EXPECT_EQ((*rules)[1].latency_ms, 20);
  EXPECT_EQ((*rules)[2].bytes_per_second, 5u);
  EXPECT_EQ(parse_fault_rules(R"({"action":"reset"})")->size(), 1u);
  EXPECT_FALSE(parse_fault_rules("7"));
  EXPECT_FALSE(parse_fault_rules(R"([{"action":"none"}])"));
}

}  // namespace
}  // namespace prefixfs::devs3
