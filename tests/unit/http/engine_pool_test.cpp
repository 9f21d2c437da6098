// Connections: kept, shared, limited, and replaced when they turn out to be dead.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include "http_fixture.h"

namespace prefixfs::http {
namespace {

using EnginePoolTest = EngineTest;

TEST_F(EnginePoolTest, ABurstOfRequestsUsesOneConnection) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest& request) {
    return http_answer(request.target.ends_with('7') ? 404 : 200, request.method == "HEAD" ? "" : "small body");
  }));
  for (int i = 0; i < 200; ++i) {
    const auto response = perform(get(server.url("/object-" + std::to_string(i))));
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->reused_connection, i > 0);
    EXPECT_EQ(response->attempts, 1);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EnginePoolTest, MixedMethodsShareTheConnection) {
  TestHttpServer server([](TestConnection& connection) {
    while (const auto request = connection.read_request()) {
      connection.send(request->method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" : http_answer(200, "x"));
    }
  });
  const PatternSource small(100);
  const PatternSource large(2 * 1024 * 1024);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(perform(put(server.url("/a"), small)));
    EXPECT_TRUE(perform(put(server.url("/a"), large)));
    EXPECT_TRUE(perform({.method = "HEAD", .url = server.url("/a"), .headers = {}}));
    EXPECT_TRUE(perform({.method = "DELETE", .url = server.url("/a"), .headers = {}}));
    RecordingSink sink;
    EXPECT_TRUE(perform(get(server.url("/a")), &sink));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EnginePoolTest, HundredTransfersAtOnceEachGetTheirOwnAnswer) {
  constexpr int kCallers = 100;
  std::latch all_there(64);  // the server answers nobody before 64 requests are there: they do run at once
  std::atomic<int> arrived = 0;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    if (++arrived <= 64) {
      all_there.arrive_and_wait();
    }
    return http_answer(200, request.target + std::string(20'000, '.'));
  }));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        const std::string target = "/" + std::to_string(i);
        RecordingSink sink;
        const auto response = perform(get(server.url(target)), i % 2 == 0 ? &sink : nullptr);
        right += response && (i % 2 == 0 ? sink.bytes : response->body) == target + std::string(20'000, '.') ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(right, kCallers);
  EXPECT_LE(server.connections(), 64);
}

TEST_F(EnginePoolTest, LargeAnswersAtOnceAreNotMixedUp) {
  constexpr int kCallers = 8;
  const auto body_of = [](std::string_view target) { return std::string(2 << 20, target.back()); };
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) { return http_answer(200, body_of(request.target)); }));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        const std::string target = "/" + std::to_string(i);
        RecordingSink sink;
        right += perform(get(server.url(target)), &sink) && sink.bytes == body_of(target) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(right, kCallers);
}

TEST_F(EnginePoolTest, NoMoreConnectionsThanAllowed) {
  engine = make_curl_engine({.connections_per_host_max = 3, .ca_bundle = {}});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest&) {
    const int now = ++inside;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --inside;
    return http_answer(200, "x");
  }));
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 40; ++i) {
      callers.emplace_back([&] { answered += perform(get(server.url("/"))) ? 1 : 0; });
    }
  }
  EXPECT_EQ(answered, 40);
  EXPECT_LE(most, 3);
  EXPECT_LE(server.connections(), 3);
}

TEST_F(EnginePoolTest, WhoWaitsForAConnectionObeysDeadlineAndCancel) {
  engine = make_curl_engine({.connections_per_host_max = 1, .ca_bundle = {}});
  Event arrived;
  Event release;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    arrived.set();
    release.wait();
    connection.send(http_answer(200, "first"));
  });
  Result<Response> first = fail(Errc::internal, "not run");
  std::jthread holder([&] { first = perform(get(server.url("/"))); });
  ASSERT_TRUE(arrived.wait());
  const auto late =
      engine->perform(get(server.url("/")), nullptr, {.deadline = std::chrono::steady_clock::now() + 30ms, .cancel = {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timeout);
  EXPECT_THAT(late.error().what, ::testing::HasSubstr("waited for a free connection"));
  std::stop_source stop;
  std::jthread canceller([&] { stop.request_stop(); });
  const auto cancelled = engine->perform(get(server.url("/")), nullptr, {.deadline = SteadyTime::max(), .cancel = stop.get_token()});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::cancelled);
  release.set();
  holder.join();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->body, "first");
  EXPECT_EQ(server.connections(), 1);
}

/// Answers the first request of a first connection, then lets it die at the second request, before a byte of the answer.
/// All requests are noted; from the `healthy_from`th connection on all is well.
TestHttpServer::Script dying(std::vector<ReceivedRequest>& seen, std::mutex& mutex, int healthy_from) {
  return [&seen, &mutex, healthy_from](TestConnection& connection) {
    for (int count = 0;; ++count) {
      const auto request = connection.read_request();
      if (!request) {
        return;
      }
      {
        const std::lock_guard lock(mutex);
        seen.push_back(*request);
      }
      if (connection.number() < healthy_from && (count > 0 || connection.number() > 1)) {
        connection.reset();
        return;
      }
      connection.send(http_answer(200, ""));
    }
  };
}

TEST_F(EnginePoolTest, ADeadReusedConnectionIsReplacedOnce) {
  const PatternSource body(300'000);
  for (const std::string method : {"GET", "HEAD", "DELETE", "PUT"}) {
    std::vector<ReceivedRequest> seen;
    std::mutex mutex;
    TestHttpServer server(dying(seen, mutex, 2));
    ASSERT_TRUE(perform(get(server.url("/first"))));
    const auto response =
        perform({.method = method, .url = server.url("/second"), .headers = {}, .body = method == "PUT" ? &body : nullptr});
    ASSERT_TRUE(response) << method << ": " << response.error().what;
    EXPECT_EQ(response->attempts, 2);
    EXPECT_FALSE(response->reused_connection);
    engine = make_curl_engine({});  // the connection ends, and with it the script
    const std::lock_guard lock(mutex);
    ASSERT_EQ(seen.size(), 3U) << method;
    EXPECT_EQ(seen[1].target, "/second");
    EXPECT_EQ(seen[2].target, "/second");
    EXPECT_EQ(seen[2].connection, 2);
    if (method == "PUT") {
      EXPECT_TRUE(seen[2].body == body.text()) << "sent again from its start";
    }
  }
}

TEST_F(EnginePoolTest, APostIsNeverRepeated) {
  std::vector<ReceivedRequest> seen;
  std::mutex mutex;
  TestHttpServer server(dying(seen, mutex, 2));
  ASSERT_TRUE(perform(get(server.url("/first"))));
  const auto response = perform({.method = "POST", .url = server.url("/second?uploads"), .headers = {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().what, "http://" + server.host() + " closed the connection before it answered");
  const std::lock_guard lock(mutex);
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(EnginePoolTest, AFreshConnectionThatDiesIsAnError) {
  std::vector<ReceivedRequest> seen;
  std::mutex mutex;
  TestHttpServer server(dying(seen, mutex, 100));
  ASSERT_TRUE(perform(get(server.url("/first"))));
  const auto response = perform(get(server.url("/second")));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(seen.size(), 3U) << "the reused connection, one fresh one, and no third";
}

TEST_F(EnginePoolTest, AnIdleConnectionClosedByTheServerCostsNothing) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_request();
    connection.send(http_answer(200, "one answer per connection"));
  });
  for (int i = 0; i < 5; ++i) {
    const auto response = perform(get(server.url("/")));
    ASSERT_TRUE(response) << response.error().what;
  }
  EXPECT_EQ(server.connections(), 5);
}

}  // namespace
}  // namespace prefixfs::http
