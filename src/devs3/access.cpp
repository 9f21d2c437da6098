#include "access.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {
namespace {

std::string arn(std::string_view bucket, std::string_view key) {
  return key.empty() ? fmt::format("arn:aws:s3:::{}", bucket) : fmt::format("arn:aws:s3:::{}/{}", bucket, key);
}

bool has_action(const AccessKey& who, std::string_view action) {
  return !who.allow || std::ranges::any_of(*who.allow, [&](const auto& pattern) { return matches_pattern(pattern, action); });
}

/// A pattern for objects speaks of its bucket too.
bool covers(const std::string& pattern, std::string_view bucket, std::string_view key) {
  if (key.empty()) {
    return matches_pattern(pattern.substr(0, pattern.find('/')), bucket);
  }
  return matches_pattern(pattern, fmt::format("{}/{}", bucket, key));
}

}  // namespace

Access::Access(std::vector<AccessKey> keys, std::vector<BucketRules> buckets) : buckets_(std::move(buckets)) {
  for (auto& key : keys) {
    auto access = key.access;
    keys_.emplace(std::move(access), std::move(key));
  }
}

Outcome<const AccessKey*> Access::identify(const Authentication& authentication, WallTime now) const {
  const auto it = keys_.find(authentication.access_key);
  const bool known = it != keys_.end();
  if (!known || (!it->second.session_token.empty() && authentication.session_token.empty())) {
    return refuse(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", "AWSAccessKeyId",
                  authentication.access_key);
  }
  const auto& key = it->second;
  if (!crypto::equal_secret(key.session_token, authentication.session_token)) {
    return refuse(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  if (key.expires && now >= *key.expires) {
    return refuse(400, "ExpiredToken", "The provided token has expired.");
  }
  return &key;
}

const BucketRules* Access::rules_of(std::string_view bucket) const {
  const auto it = std::ranges::find(buckets_, bucket, &BucketRules::name);
  return it == buckets_.end() ? nullptr : &*it;
}

bool is_allowed(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key) {
  return has_action(who, action) &&
         (!who.resources || std::ranges::any_of(*who.resources, [&](const auto& pattern) { return covers(pattern, bucket, key); }));
}

bool may_list(const AccessKey& who, std::string_view bucket, std::optional<std::string_view> prefix) {
  if (!is_allowed(who, "s3:ListBucket", bucket, "")) {
    return false;
  }
  return !who.list_prefixes ||
         (prefix && std::ranges::any_of(*who.list_prefixes, [&](const auto& allowed) { return prefix->starts_with(allowed); }));
}

std::unexpected<S3Error> access_denied(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key) {
  return refuse(403, "AccessDenied",
                fmt::format("User: arn:aws:iam::000000000000:user/{} is not authorized to perform: {} on resource: \"{}\" because no "
                            "identity-based policy allows the {} action",
                            who.access, action, arn(bucket, key), action));
}

std::unexpected<S3Error> explicit_deny(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key) {
  return refuse(403, "AccessDenied",
                fmt::format("User: arn:aws:iam::000000000000:user/{} is not authorized to perform: {} on resource: \"{}\" with an explicit "
                            "deny in a resource-based policy",
                            who.access, action, arn(bucket, key)));
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace prefixfs::devs3
