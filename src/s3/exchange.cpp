#include "exchange.h"

#include <algorithm>

#include <fmt/format.h>

#include "digests.h"
#include "prefixfs/aws/sigv4.h"
#include "prefixfs/crypto/encoding.h"

namespace prefixfs::s3 {

namespace {

constexpr const char* kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

constexpr std::chrono::milliseconds kFirstByteMin{2000};
constexpr std::uint64_t kSmallBodyBytes = 1U << 20;

Result<Endpoint> usable_endpoint(const ClientOptions& options) {
  TRY(check_bucket_name(options.bucket));
  if (!options.region.empty() && !is_region_name(options.region)) {
    return fail(Errc::invalid, fmt::format("'{}' cannot be the name of a region", options.region));
  }
  TRY(storage_headers(options.sse, options.storage_class));
  TRY_ASSIGN(Endpoint endpoint, parse_endpoint(options.endpoint));
  if (options.endpoint.empty()) {
    endpoint.fips = options.fips;
    endpoint.dualstack = options.dualstack;
  }
  return endpoint;
}

HostRegion::Ask host_region_of(const ClientOptions& options, const Result<Endpoint>& endpoint) {
  return endpoint && endpoint->aws() ? options.host_region : nullptr;
}

bool is_aws(const Result<Endpoint>& endpoint) { return endpoint && (endpoint->aws() || is_aws_host(endpoint->host)); }

bool contains(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

std::string hex_of(const std::string& raw) {
  return crypto::hex(std::span(reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()));
}

/// Local errors and those of the network get to know what they were about.
Error about(Error error, const Call& call, const std::string& bucket) {
  if (error.origin.operation.empty()) {
    error.what = fmt::format("{} of s3://{}/{}: {}", call.operation, bucket, call.key.str(), error.what);
    error.origin.operation = call.operation;
    error.origin.key = call.key.str();
    error.origin.attempt = 1;
  }
  return error;
}

/// Takes the body of an answer which nobody wants.
class NoBody final : public http::ResponseSink {
 public:
  Result<void> begin(const http::Response&) override { return fail(Errc::cancelled, "only the status was wanted"); }
  Result<void> accept(std::span<const std::byte>) override { return {}; }
};

}  // namespace

Result<void> check_options(const ClientOptions& options) {
  TRY(usable_endpoint(options));
  return {};
}

Exchange::Exchange(const ClientOptions& options, http::Engine& engine, aws::CredentialsProvider& credentials, const Clock& clock,
                   EndpointMemory& memory, Log& log)
    : options_(options),
      endpoint_(usable_endpoint(options)),
      engine_(engine),
      credentials_(credentials),
      clock_(clock),
      log_(log),
      region_(options.bucket, endpoint_ ? endpoint_->name() : "", options.region, endpoint_ ? endpoint_->region : "", memory, log),
      host_region_(region_.told() ? nullptr : host_region_of(options, endpoint_), clock, log),
      capabilities_(endpoint_ ? endpoint_->name() : "", is_aws(endpoint_), memory, log) {}

/// One connection that hangs must not use up the whole call: a new one may lead to another host of S3, so that there is time for it
/// ("Performance design patterns for Amazon S3", timeouts and retries for latency-sensitive applications). A large body is not sent
/// twice for that.
std::chrono::milliseconds Exchange::first_byte_timeout(const Call& call, const CallContext& context) const {
  const SteadyTime until = context.until();
  if (call.patient || until == SteadyTime::max() || (call.body != nullptr && call.body->size() > kSmallBodyBytes)) {
    return call.answer_timeout;
  }
  const auto third = std::chrono::duration_cast<std::chrono::milliseconds>((until - clock_.steady()) / 3);
  return std::min<std::chrono::milliseconds>(call.answer_timeout, std::max(third, kFirstByteMin));
}

Result<http::Request> Exchange::build(const Call& call, const Attempt& attempt, const CallContext& context) const {
  const Address address = address_of(*endpoint_, options_.bucket, attempt.region, options_.path_style);
  aws::SignableRequest signable;
  signable.method = call.method;
  signable.host = address.host;
  signable.encoded_path = call.key.empty() ? address.path_of_bucket() : address.path_of_key(call.key.str());
  signable.query = call.query;
  signable.headers = call.headers;
  if (call.body == nullptr || call.body->size() == 0) {
    signable.payload_sha256 = kEmptySha256;
  } else if (!signs_payload()) {
    signable.payload_sha256 = aws::kUnsignedPayload;
  } else if (!call.body_sha256.empty()) {
    signable.payload_sha256 = hex_of(call.body_sha256);
  } else {
    TRY_ASSIGN(const Digests digests, digest_body(*call.body, {.sha256 = true}, context));
    signable.payload_sha256 = hex_of(digests.sha256);
  }
  http::Request request;
  request.method = call.method;
  request.url = address.scheme_and_host + signable.encoded_path;
  if (!call.query.empty()) {
    request.url += "?" + aws::canonical_query(call.query);
  }
  request.headers = call.headers;
  request.body = call.body;
  request.first_byte_timeout = first_byte_timeout(call, context);
  request.patient = call.patient;
  for (http::Header& header : aws::sign(signable, attempt.credentials, {attempt.region, "s3"}, clock_.now() + attempt.clock_offset)) {
    request.headers.push_back(std::move(header));
  }
  return request;
}

Result<http::Response> Exchange::perform(const Call& call, const Attempt& attempt, http::ResponseSink* sink, const CallContext& context) {
  TRY_ASSIGN(const http::Request request, build(call, attempt, context));
  TRY_ASSIGN(http::Response response, engine_.perform(request, sink, context));
  capabilities_.see(response);
  host_region_.settle();  // S3 is reached, and tells itself where the bucket is
  return response;
}

Result<http::Response> Exchange::send(const Call& call, http::ResponseSink* sink, const CallContext& context) {
  if (!endpoint_) {
    return fail(about(endpoint_.error(), call, options_.bucket));
  }
  if (call.key.str().size() > kKeyBytesMax) {
    return fail(about(Error{Errc::name_too_long, "the key is longer than 1024 bytes", {}}, call, options_.bucket));
  }
  if (const auto region = host_region_.find(context)) {
    region_.assume(*region);
  }
  Attempt attempt{region_.current(), {}};
  auto credentials = credentials_.get(context);
  if (!credentials) {
    credentials.error().origin.not_sent = true;
    return fail(about(std::move(credentials.error()), call, options_.bucket));
  }
  attempt.credentials = *std::move(credentials);
  for (Cured cured;;) {
    attempt.clock_offset = std::chrono::nanoseconds(clock_offset_ns_.load());
    auto response = perform(call, attempt, sink, context);
    if (!response) {
      return fail(about(std::move(response.error()), call, options_.bucket));
    }
    if (response->status / 100 == 2 || contains(call.accept, response->status)) {
      return response;
    }
    const Refusal refusal = call.method == "HEAD" ? read_hidden_refusal(call, *response, attempt, context)
                                                  : read_refusal(call, *response, attempt.region);
    if (!cure(refusal, *response, attempt, cured, context)) {
      Error error = classify(refusal);
      error.origin.sent_twice = response->attempts > 1;
      return fail(std::move(error));
    }
  }
}

Error Exchange::error_of(const Call& call, const http::Response& response) const {
  return classify(read_refusal(call, response, region_.current()));
}

Refusal Exchange::read_refusal(const Call& call, const http::Response& response, const std::string& signed_for) const {
  const ErrorDocument document = read_error_document(response.body).value_or(ErrorDocument{});
  Refusal refusal;
  refusal.operation = call.operation;
  refusal.bucket = options_.bucket;
  refusal.key = call.key.str();
  refusal.http_status = response.status;
  refusal.s3_code = document.code;
  refusal.message = document.message;
  refusal.region = region_told(response, document.region).value_or("");
  refusal.signed_for = signed_for;
  refusal.fixed_endpoint = endpoint_->aws() ? "" : endpoint_->name();
  refusal.request_id = std::string(response.header("x-amz-request-id").value_or(document.request_id));
  const auto retry_after = parse_number(response.header("retry-after").value_or(""));  // a date instead is rare, and left aside
  refusal.retry_after_seconds = static_cast<int>(std::min<std::uint64_t>(retry_after.value_or(0), 3600));
  return refusal;
}

Refusal Exchange::read_hidden_refusal(const Call& call, const http::Response& response, const Attempt& attempt,
                                      const CallContext& context) {
  const Refusal plain = read_refusal(call, response, attempt.region);
  const bool hidden = response.status == 400 || response.status == 301 || response.status == 307;
  if (!hidden || call.key.empty() || (!plain.region.empty() && plain.region != attempt.region)) {
    return plain;
  }
  // A HEAD answer has no body, so the code is asked for by a GET of one byte.
  Call probe{call.operation, "GET", call.key, call.query, {{"range", "bytes=0-0"}}};
  NoBody sink;
  const auto told = perform(probe, attempt, &sink, context);
  return told && told->status / 100 != 2 ? read_refusal(probe, *told, attempt.region) : plain;
}

}  // namespace prefixfs::s3
