#pragma once
// Who may do what: access keys with their rights, and what a bucket demands.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/clock.h"
#include "s3_error.h"
#include "sigv4_check.h"

namespace prefixfs::devs3 {

struct AccessKey {
  std::string access;
  std::string secret;
  std::string session_token;  ///< empty: a permanent key
  std::optional<WallTime> expires;
  std::optional<std::vector<std::string>> allow;          ///< "s3:GetObject"; nothing: every action
  std::optional<std::vector<std::string>> resources;      ///< "bucket/prefix/*"; nothing: everything
  std::optional<std::vector<std::string>> list_prefixes;  ///< the s3:prefix condition on s3:ListBucket; nothing: any prefix
};

struct BucketRules {
  std::string name;
  std::string region;       ///< empty: the endpoint's
  std::string require_sse;  ///< the value x-amz-server-side-encryption must have on every write; empty: no demand
  bool acls = false;        ///< false: BucketOwnerEnforced, as buckets are since April 2023
};

/// Immutable once built; thread-safe.
class Access {
 public:
  Access(std::vector<AccessKey> keys, std::vector<BucketRules> buckets);

  /// The key that the request names, with its token checked: InvalidAccessKeyId, InvalidToken, ExpiredToken.
  Outcome<const AccessKey*> identify(const Authentication& authentication, WallTime now) const;
  const BucketRules* rules_of(std::string_view bucket) const;
  const std::vector<BucketRules>& buckets() const { return buckets_; }

 private:
  std::map<std::string, AccessKey, std::less<>> keys_;
  std::vector<BucketRules> buckets_;
};

/// Whether the key has the right on an object ("bucket", "key") or, with an empty key, on the bucket itself.
bool is_allowed(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key);
/// s3:ListBucket with the prefix that is asked for; no prefix is given where S3 decides between 404 and 403.
bool may_list(const AccessKey& who, std::string_view bucket, std::optional<std::string_view> prefix);

/// 403 in AWS's words for a missing right.
std::unexpected<S3Error> access_denied(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key);
/// 403 in AWS's words for a bucket policy that forbids.
std::unexpected<S3Error> explicit_deny(const AccessKey& who, std::string_view action, std::string_view bucket, std::string_view key);

/// "*" stands for any text, "?" for one character.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace prefixfs::devs3
