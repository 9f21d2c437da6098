#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "prefixfs/base/clock.h"
#include "support/test_http_server.h"

namespace prefixfs::test {

/// The metadata services of EC2, ECS and EKS on one loopback port, as strict as the real ones: what they refuse is refused here, with
/// the same status. Settings may change at any time; each answer takes them as they are. Thread-safe.
/// Sources: EC2 User Guide, "Use the Instance Metadata Service"; ECS Developer Guide, "Task IAM role"; EKS User Guide, "Pod Identity".
class MetadataServer {
 public:
  struct Settings {
    std::string role = "app";         ///< empty: the instance has no role
    std::string region = "eu-west-1";
    int token_put_status = 200;       ///< what PUT /latest/api/token answers; not 200: no token is given
    bool token_required = true;       ///< HttpTokens=required: version 1 is refused
    std::string authorization;        ///< what the container endpoint wants in its header; empty: nothing
    std::string document;             ///< sent instead of the credentials, malformed or not
    int fail_with_status = 0;         ///< every answer has this status, where it is not 0
    bool silent = false;              ///< requests are read and never answered
  };

  /// `clock` decides when tokens expire.
  explicit MetadataServer(const Clock& clock);

  std::string url() const { return server_.url(""); }
  /// Where a container asks: as AWS_CONTAINER_CREDENTIALS_FULL_URI, and as the path behind the ECS endpoint.
  std::string container_url() const { return server_.url(kContainerPath); }
  static constexpr const char* kContainerPath = "/v2/credentials/task-1";

  void change(const std::function<void(Settings&)>& how);
  /// New keys: "AKID" + name and so on, valid for `lifetime` from now.
  void issue(const std::string& name, std::chrono::seconds lifetime);
  /// As after a stop and start of the instance.
  void forget_tokens();
  /// How many requests came, for example of "PUT /latest/api/token".
  int count(const std::string& method_and_path) const;

 private:
  void serve(TestConnection& connection);
  std::string answer(const ReceivedRequest& request);
  std::string give_token(const ReceivedRequest& request);
  std::string instance_answer(const ReceivedRequest& request);
  std::string container_answer(const ReceivedRequest& request) const;
  std::string document() const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  Settings settings_;
  std::string name_ = "first";
  WallTime expires_;
  std::map<std::string, SteadyTime> tokens_;  ///< and until when they are good
  int tokens_given_ = 0;
  std::map<std::string, int> counts_;
  TestHttpServer server_;  // last: its threads use all of the above
};

}  // namespace prefixfs::test
