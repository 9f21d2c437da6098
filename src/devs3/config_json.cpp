#include "config_json.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

using nlohmann::json;

/// Reads the fields of one JSON object and remembers the first thing that is wrong with it.
class Fields {
 public:
  Fields(const json& object, std::string_view what, std::initializer_list<std::string_view> known) : object_(object) {
    if (!object.is_object()) {
      problem_ = fmt::format("{} must be a JSON object", what);
      return;
    }
    for (const auto& [name, value] : object.items()) {
      if (std::ranges::find(known, std::string_view(name)) == known.end()) {
        problem_ = fmt::format("{} has an unknown field '{}'", what, name);
      }
    }
  }

  template <class T>
  void read(const char* name, T& out) {
    if (!object_.is_object() || !object_.contains(name)) {
      return;
    }
    try {  // the library tells a wrong type only by throwing
      object_.at(name).get_to(out);
    } catch (const json::exception&) {
      problem_ = fmt::format("'{}' has the wrong type", name);
    }
  }

  template <class T>
  void read(const char* name, std::optional<T>& out) {
    if (object_.is_object() && object_.contains(name)) {
      read(name, out.emplace());
    }
  }

  Result<void> result() const { return problem_.empty() ? Result<void>() : fail(Errc::invalid, problem_); }

 private:
  const json& object_;
  std::string problem_;
};

Result<AccessKey> read_key(const json& in) {
  AccessKey key;
  std::string expires;
  Fields fields(in, "a key", {"access", "secret", "session_token", "expires", "allow", "resources", "list_prefixes"});
  fields.read("access", key.access);
  fields.read("secret", key.secret);
  fields.read("session_token", key.session_token);
  fields.read("expires", expires);
  fields.read("allow", key.allow);
  fields.read("resources", key.resources);
  fields.read("list_prefixes", key.list_prefixes);
  TRY(fields.result());
  if (key.access.empty() || key.secret.empty()) {
    return fail(Errc::invalid, "a key needs 'access' and 'secret'");
  }
  if (!expires.empty()) {
    key.expires = parse_iso8601(expires);
    if (!key.expires) {
      return fail(Errc::invalid, fmt::format("'expires' of key {} is not an ISO 8601 time", key.access));
    }
  }
  return key;
}

Result<BucketRules> read_bucket(const json& in) {
  BucketRules bucket;
  Fields fields(in, "a bucket", {"name", "region", "require_sse", "acls"});
  fields.read("name", bucket.name);
  fields.read("region", bucket.region);
  fields.read("require_sse", bucket.require_sse);
  fields.read("acls", bucket.acls);
  TRY(fields.result());
  return bucket;
}

Result<FaultRule> read_rule(const json& in) {
  FaultRule rule;
  std::string action = "status";
  Fields fields(in, "a fault rule",
                {"operation", "key", "skip", "count", "probability", "seed", "action", "status", "code", "retry_after", "ms",
                 "bytes_per_second"});
  fields.read("operation", rule.operation);
  fields.read("key", rule.key);
  fields.read("skip", rule.skip);
  fields.read("count", rule.count);
  fields.read("probability", rule.probability);
  fields.read("seed", rule.seed);
  fields.read("action", action);
  fields.read("status", rule.status);
  fields.read("code", rule.code);
  fields.read("retry_after", rule.retry_after_s);
  fields.read("ms", rule.latency_ms);
  fields.read("bytes_per_second", rule.bytes_per_second);
  TRY(fields.result());
  for (int i = 0; i <= static_cast<int>(FaultAction::error_in_200); ++i) {
    if (action_name(static_cast<FaultAction>(i)) == action) {
      rule.action = static_cast<FaultAction>(i);
      return rule;
    }
  }
  return fail(Errc::invalid, fmt::format("unknown action '{}'", action));
}

}  // namespace

Result<Configuration> parse_configuration(std::string_view text) {
  const auto in = json::parse(text, nullptr, false);
  TRY(Fields(in, "the configuration", {"keys", "buckets"}).result());
  Configuration out;
  for (const auto& key : in.value("keys", json::array())) {
    TRY_ASSIGN(auto read, read_key(key));
    out.keys.push_back(std::move(read));
  }
  for (const auto& bucket : in.value("buckets", json::array())) {
    TRY_ASSIGN(auto read, read_bucket(bucket));
    out.buckets.push_back(std::move(read));
  }
  return out;
}

Result<std::vector<FaultRule>> parse_fault_rules(std::string_view text) {
  auto in = json::parse(text, nullptr, false);
  if (in.is_object()) {
    in = json::array({in});
  }
  if (!in.is_array()) {
    return fail(Errc::invalid, "fault rules must be a JSON array of objects");
  }
  std::vector<FaultRule> rules;
  for (const auto& rule : in) {
    TRY_ASSIGN(auto read, read_rule(rule));
    rules.push_back(std::move(read));
  }
  return rules;
}

std::string fault_counts_json(const std::vector<Faults::Count>& counts) {
  auto out = json::array();
  for (const auto& [rule, matched, fired] : counts) {
    out.push_back({{"operation", rule.operation}, {"key", rule.key}, {"skip", rule.skip}, {"count", rule.count},
                   {"probability", rule.probability}, {"seed", rule.seed}, {"action", action_name(rule.action)}, {"status", rule.status},
                   {"code", rule.code}, {"retry_after", rule.retry_after_s}, {"ms", rule.latency_ms},
                   {"bytes_per_second", rule.bytes_per_second}, {"matched", matched}, {"hits", fired}});
  }
  return out.dump() + "\n";
}

}  // namespace prefixfs::devs3
