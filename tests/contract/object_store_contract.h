#pragma once
// One suite for all that calls itself an ObjectStore: the in-memory store of the tests, and the client on every endpoint named in
// PREFIXFS_CONTRACT_ENDPOINTS, a list separated by spaces of
//   name=url,access key,secret key,bucket,region[,lacks=feature+feature+...]
// The bucket must exist. Each test works below a key prefix of its own, which it empties at its end.

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/http/engine.h"
#include "prefixfs/s3/client.h"
#include "support/memory_store.h"
#include "support/store_calls.h"

namespace prefixfs::contract {

/// One store to be tested.
struct Target {
  std::string name;
  std::string url;  ///< empty: the in-memory store
  std::string access_key;
  std::string secret_key;
  std::string bucket;
  std::string region;
  std::set<std::string> lacks;
};
std::ostream& operator<<(std::ostream& out, const Target& target);

/// The in-memory store, and what the environment names. A broken entry ends the program with a message.
std::vector<Target> targets();
/// "" or what is wrong with one entry of the list.
std::string parse_target(const std::string& text, Target& target);
/// The end of a test's name, for INSTANTIATE_TEST_SUITE_P.
std::string test_suffix(const testing::TestParamInfo<Target>& info);

class ObjectStoreContract : public testing::TestWithParam<Target> {
 protected:
  void SetUp() override;
  void TearDown() override;

  s3::ObjectStore& store() { return *store_; }
  /// A key below this test's prefix.
  Key key(const std::string& name) const { return Key(prefix_ + name); }
  const std::string& prefix() const { return prefix_; }
  bool lacks(const std::string& feature) const { return GetParam().lacks.contains(feature); }

  /// Fails the test when the write fails.
  ETag must_put(const std::string& name, const std::string& text, const s3::ObjectHeaders& headers = {});
  std::string must_get(const std::string& name);
  bool exists(const std::string& name);
  /// All pages; asserts that they come to an end.
  s3::ListPage list_all(s3::ListOptions options);
  std::vector<std::string> names_below(const s3::ListPage& page) const;
  /// Puts, gets, lists, copies and removes all of `names`.
  void expect_kept(const std::vector<std::string>& names);

 private:
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<http::Engine> engine_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<s3::EndpointMemory> memory_;
  std::unique_ptr<s3::ObjectStore> store_;
  std::string prefix_;
};

/// Ends the test as skipped, and says why.
#define SKIP_IF_LACKING(feature)                                                            \
  do {                                                                                      \
    if (lacks(feature)) {                                                                   \
      GTEST_SKIP() << GetParam().name << " is declared as lacking " << (feature);           \
    }                                                                                       \
  } while (false)

}  // namespace prefixfs::contract
