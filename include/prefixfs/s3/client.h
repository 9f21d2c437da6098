#pragma once
// How the stack of stores is made: Client -> RetryStore -> MeteredStore -> PrefixStore.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/random.h"
#include "prefixfs/http/engine.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/telemetry/metrics.h"

namespace prefixfs::s3 {

/// Where the bucket is, and how it is written to.
struct ClientOptions {
  std::string bucket;
  std::string endpoint;        ///< "https://host[:port]" or "http://..."; empty: AWS, by region
  std::string region;          ///< empty: what is remembered, the endpoint's, this host's, else us-east-1; learnt from the first answer
  bool fips = false;           ///< AWS's FIPS hosts; without an endpoint only
  bool dualstack = false;      ///< AWS's hosts with IPv6; without an endpoint only
  bool path_style = false;     ///< always so for IP addresses, localhost, single-label hosts, and bucket names with dots over https
  std::string sse;             ///< "none", "AES256", "aws:kms", "aws:kms:<key id or arn>", "aws:kms:dsse"; empty: the object's own, or AES256
  std::string storage_class;   ///< empty: the object's own, or not sent
  /// The region of this host, asked before the first request to AWS where nothing else tells one, and again until S3 has answered.
  /// May be empty. Blocks; an error is no obstacle.
  std::function<Result<std::string>(const CallContext& context)> host_region = {};
};
/// What can be known of the options before S3 is asked. Errors: invalid.
Result<void> check_options(const ClientOptions& options);

/// Small facts about endpoints which are worth keeping over restarts (region of a bucket, capabilities). Thread-safe.
class EndpointMemory {
 public:
  virtual ~EndpointMemory() = default;
  virtual std::optional<std::string> recall(const std::string& name) = 0;
  virtual void remember(const std::string& name, const std::string& value) = 0;
};
std::unique_ptr<EndpointMemory> make_volatile_memory();

/// Signs, sends, parses, classifies; learns the region and what the endpoint honours; corrects its clock from the Date header after
/// RequestTimeTooSkewed; asks for new credentials once after ExpiredToken. One attempt else: retries are RetryStore's.
/// Over https the payload is not hashed for the signature (UNSIGNED-PAYLOAD), over http it is.
std::unique_ptr<ObjectStore> make_client(const ClientOptions& options, http::Engine& engine, aws::CredentialsProvider& credentials,
                                         const Clock& clock, EndpointMemory& memory, Log& log);

/// Full-jitter exponential backoff, 50 ms to 20 s, Retry-After honoured, within the caller's deadline. A budget (token bucket) shared by
/// all calls: while it is empty the pauses are a second or two, so that an outage is not answered with more load, and no call ends early.
/// SlowDown lowers the number of requests in flight, success raises it again.
/// A PutObject, CopyObject or CompleteMultipartUpload whose answer was lost is repeated only in a way that cannot undo another
/// client's write: after an unclear failure of a write with a condition that then says conflict, a HEAD tells whether the object
/// is our own (same size and checksum).
struct RetryOptions {
  int attempts_max = 5;
  std::size_t in_flight_max = 64;
};
std::unique_ptr<ObjectStore> make_retry_store(ObjectStore& inner, const RetryOptions& options, const Clock& clock, Random& random, Log& log);

/// Counts requests, bytes, errors and time by operation ("s3.PutObject.requests", ".errors", ".microseconds", "s3.bytes_sent", ...).
std::unique_ptr<ObjectStore> make_metered_store(ObjectStore& inner, const Clock& clock, Metrics& metrics);

/// Shows only keys below `prefix`, without it: in keys, listings, copy sources. Errors: name_too_long when prefix + key exceeds 1024 bytes.
std::unique_ptr<ObjectStore> make_prefix_store(ObjectStore& inner, const Prefix& prefix);

/// Gives every call an end: `answer_time` without progress, and for a body one second more for each `stored_bytes_per_second`, as the server
/// has to store it. Time in which the bytes of a body or a download move is not counted, as many
/// calls may share a slow line; what is too slow to be progress the HTTP engine decides. CompleteMultipartUpload and copies, which S3
/// works on for minutes, end after `slow_operation_time` in any case. A caller's earlier deadline stays. It stands outside RetryStore, so
/// that all attempts of one call share the time.
struct DeadlineOptions {
  std::chrono::milliseconds answer_time{10000};
  std::chrono::milliseconds slow_operation_time{600'000};
  std::uint64_t stored_bytes_per_second = 1 << 20;
};
std::unique_ptr<ObjectStore> make_deadline_store(ObjectStore& inner, const DeadlineOptions& options, const Clock& clock);

/// Content-Type by the extension of `name` (IANA types; "application/octet-stream" when unknown). Case does not matter.
std::string content_type_of(std::string_view name);
/// Whether the extension of `name` is one of the table's.
bool has_known_extension(std::string_view name);

}  // namespace prefixfs::s3
