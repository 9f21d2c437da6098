#pragma once
// One S3 request from its parts to a verdict: address, signature, answer, and what can be put right by sending it once more.

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "address.h"
#include "capabilities.h"
#include "classify.h"
#include "headers.h"
#include "prefixfs/s3/client.h"
#include "region.h"
#include "xml_answers.h"

namespace prefixfs::s3 {

/// A request before it has a host, a date and a signature.
struct Call {
  std::string operation;  ///< "PutObject"
  std::string method;
  Key key;                ///< empty: a request on the bucket
  std::vector<std::pair<std::string, std::string>> query = {};
  Headers headers = {};
  const BodySource* body = nullptr;
  std::string body_sha256 = {};         ///< raw bytes, where it is already known
  std::vector<int> accept = {};         ///< statuses besides 2xx which the caller handles itself
  std::chrono::seconds answer_timeout{10};  ///< until the first byte of the answer
  bool patient = false;                 ///< S3 may work on it for minutes, see http::Request
};

/// Thread-safe.
class Exchange {
 public:
  Exchange(const ClientOptions& options, http::Engine& engine, aws::CredentialsProvider& credentials, const Clock& clock,
           EndpointMemory& memory, Log& log);

  /// A 2xx answer, or one that the call accepts. Sends again, once for each reason: in the right region, with the right time, with
  /// new credentials.
  Result<http::Response> send(const Call& call, http::ResponseSink* sink, const CallContext& context);

  /// The verdict on an answer that is no success, also on an error document in a 200 answer.
  Error error_of(const Call& call, const http::Response& response) const;

  CapabilityBook& capabilities() { return capabilities_; }
  const CapabilityBook& capabilities() const { return capabilities_; }
  const std::string& bucket() const { return options_.bucket; }
  /// Over http the payload is hashed for the signature; over https TLS protects it.
  bool signs_payload() const { return endpoint_ && !endpoint_->https; }
  Log& log() { return log_; }
  const Clock& clock() const { return clock_; }

 private:
  /// One attempt's surroundings.
  struct Attempt {
    std::string region;
    aws::Credentials credentials;
    std::chrono::nanoseconds clock_offset{};  ///< it is signed with the time of this host and that
  };
  /// What has been put right already.
  struct Cured {
    bool region = false;
    bool clock = false;
    bool credentials = false;
  };

  Result<http::Response> perform(const Call& call, const Attempt& attempt, http::ResponseSink* sink, const CallContext& context);
  std::chrono::milliseconds first_byte_timeout(const Call& call, const CallContext& context) const;
  Result<http::Request> build(const Call& call, const Attempt& attempt, const CallContext& context) const;
  Refusal read_refusal(const Call& call, const http::Response& response, const std::string& signed_for) const;
  /// Reads the code that a HEAD answer cannot carry.
  Refusal read_hidden_refusal(const Call& call, const http::Response& response, const Attempt& attempt, const CallContext& context);
  bool cure(const Refusal& refusal, const http::Response& response, Attempt& attempt, Cured& cured, const CallContext& context);
  bool cure_region(const Refusal& refusal, Attempt& attempt, const CallContext& context);
  bool cure_clock(const Refusal& refusal, const http::Response& response, const Attempt& attempt);
  bool cure_credentials(const Refusal& refusal, Attempt& attempt, const CallContext& context);
  std::optional<std::string> ask_region(const std::string& region, const CallContext& context);

  const ClientOptions options_;
  const Result<Endpoint> endpoint_;
  http::Engine& engine_;
  aws::CredentialsProvider& credentials_;
  const Clock& clock_;
  Log& log_;
  RegionBook region_;
  HostRegion host_region_;
  CapabilityBook capabilities_;
  std::atomic<std::int64_t> clock_offset_ns_ = 0;  ///< what S3's clock is ahead of ours
};

}  // namespace prefixfs::s3
