#pragma once
// An http::Engine whose answers a test writes, and a client on top of it.

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "prefixfs/aws/credentials.h"
#include "prefixfs/s3/client.h"
#include "support/fake_clock.h"
#include "support/store_calls.h"

namespace prefixfs::test {

/// What a request looked like, with its body read.
struct SentRequest {
  http::Request request;
  std::string body;
  SteadyTime deadline;  ///< the fixed one
  SteadyTime until;     ///< the earlier of the fixed and the moving one, when it was sent
  std::string header(std::string_view name) const {
    for (const http::Header& header : request.headers) {
      if (header.name == name) {
        return header.value;
      }
    }
    return "";
  }
};

inline http::Response answer(int status, std::vector<http::Header> headers = {}, std::string body = {}) {
  http::Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

inline std::string error_xml(std::string_view code, std::string_view message = "said by the test", std::string_view more = "") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + std::string(code) + "</Code><Message>" + std::string(message) +
         "</Message>" + std::string(more) + "<RequestId>REQ</RequestId></Error>";
}

/// Not thread-safe.
class FakeEngine final : public http::Engine {
 public:
  /// Gets the request and its number, from 1.
  std::function<Result<http::Response>(const SentRequest& sent, int number)> handler;
  std::vector<SentRequest> sent;

  Result<http::Response> perform(const http::Request& request, http::ResponseSink* sink, const CallContext& context) override {
    SentRequest now{request, {}, context.deadline, context.until()};
    if (request.body != nullptr) {
      now.body.resize(request.body->size());
      TRY(request.body->read_at(0, std::as_writable_bytes(std::span(now.body.data(), now.body.size()))));
    }
    now.request.body = nullptr;
    sent.push_back(now);
    TRY_ASSIGN(http::Response response, handler(now, static_cast<int>(sent.size())));
    if (sink != nullptr && response.status / 100 == 2 && !response.body.empty()) {
      const std::string body = std::exchange(response.body, {});
      TRY(sink->begin(response));
      TRY(sink->accept(std::as_bytes(std::span(body.data(), body.size()))));
    }
    return response;
  }
};

/// Keys that change each time they are refused, as a role's do.
class RotatingCredentials final : public aws::CredentialsProvider {
 public:
  explicit RotatingCredentials(bool renews = true) : renews_(renews) {}
  Result<aws::Credentials> get(const CallContext&) override {
    aws::Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE" + std::to_string(generation_);
    credentials.secret_access_key = "verysecret" + std::to_string(generation_);
    credentials.source = "test";
    return credentials;
  }
  void refused(const aws::Credentials&) override {
    ++refusals;
    generation_ += renews_ ? 1 : 0;
  }
  int refusals = 0;

 private:
  const bool renews_;
  int generation_ = 1;
};

/// A log that a test can read.
class ListLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
  int count(LogLevel level) const {
    return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.first == level; }));
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

/// The client with everything it needs.
struct ClientBench {
  explicit ClientBench(const std::string& endpoint = "http://s3.test:9000", bool renews = true) : credentials(renews) {
    options.bucket = "bucket";
    options.endpoint = endpoint;
  }
  s3::ObjectStore& client() {
    if (!store) {
      store = s3::make_client(options, engine, credentials, clock, *memory, log);
    }
    return *store;
  }
  s3::ClientOptions options;
  FakeEngine engine;
  RotatingCredentials credentials;
  FakeClock clock;
  std::unique_ptr<s3::EndpointMemory> memory = s3::make_volatile_memory();
  ListLog log;
  std::unique_ptr<s3::ObjectStore> store;
};

}  // namespace prefixfs::test
