// What goes wrong on the way: the code and the sentence of each error, and how soon it comes.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "http_fixture.h"

namespace prefixfs::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class EngineFaultsTest : public EngineTest {
 protected:
  static Error error_of(const Result<Response>& result) { return result ? Error{Errc::internal, "no error", {}} : result.error(); }
  Error get_error(const std::string& url) { return error_of(perform(get(url))); }
};

#define EXPECT_ERROR(actual, expected_code, sentence)      \
  do {                                                     \
    const Error error_seen = (actual);                     \
    EXPECT_EQ(to_string(error_seen.code), to_string(expected_code)) << error_seen.what; \
    EXPECT_THAT(error_seen.what, sentence);                \
    EXPECT_THAT(error_seen.what, Not(HasSubstr("\n")));    \
  } while (false)

TEST_F(EngineFaultsTest, ConnectionRefused) {
  const std::string origin = "http://127.0.0.1:" + std::to_string(test::free_port());
  EXPECT_ERROR(get_error(origin + "/secret?X-Amz-Signature=1"), Errc::unavailable, "connection to " + origin + " refused");
}

TEST_F(EngineFaultsTest, UnknownHost) {
  // ".invalid" never resolves (RFC 2606).
  EXPECT_ERROR(get_error("http://minio.invalid:9000/"), Errc::unavailable,
               AllOf(StartsWith("cannot resolve host minio.invalid ("), HasSubstr("check the endpoint")));
}

TEST_F(EngineFaultsTest, NoAnswerWithinTheFirstByteTimeout) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  Request request = get(server.url("/"));
  request.first_byte_timeout = 50ms;
  EXPECT_ERROR(error_of(perform(request)), Errc::unavailable, "no answer from http://" + server.host() + " within 50 ms");
}

TEST_F(EngineFaultsTest, FirstByteTimeRunsFromTheEndOfTheRequest) {
  // The kernel takes the body at once; the peer takes it later than the limit, and then answers at once.
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    std::this_thread::sleep_for(400ms);  // stands for a slow line
    connection.read_bytes(1024 * 1024);
    connection.send(http_answer(200, "slow but fine"));
  });
  const PatternSource body(1024 * 1024);
  Request request = put(server.url("/"), body);
  request.first_byte_timeout = 100ms;
  const auto response = perform(request);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "slow but fine");
}

TEST_F(EngineFaultsTest, FirstByteTimeRunsAfterAnUploadToo) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  const PatternSource body(100'000);
  Request request = put(server.url("/"), body);
  request.first_byte_timeout = 60ms;
  EXPECT_ERROR(error_of(perform(request)), Errc::unavailable, HasSubstr("within 60 ms"));
}

TEST_F(EngineFaultsTest, InterimAnswersDoNotCountAsAnAnswer) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 102 Processing\r\n\r\n");
    connection.wait_closed();
  });
  Request request = get(server.url("/"));
  request.first_byte_timeout = 50ms;
  EXPECT_ERROR(error_of(perform(request)), Errc::unavailable, HasSubstr("no answer"));
}

TEST_F(EngineFaultsTest, StalledAnswer) {
  engine = make_curl_engine({.ca_bundle = {}, .low_speed_time = 1s});
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    connection.wait_closed();
  });
  RecordingSink sink;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &sink)), Errc::unavailable,
               "the answer of http://" + server.host() + " stalled: less than 1024 bytes/s for 1 s");
  EXPECT_EQ(sink.bytes, "abc");
}

TEST_F(EngineFaultsTest, StalledUpload) {
  engine = make_curl_engine({.ca_bundle = {}, .low_speed_time = 1s});
  Event enough;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    enough.wait();
  });
  const PatternSource body(64 * 1024 * 1024);  // more than the socket buffers hold
  EXPECT_ERROR(error_of(perform(put(server.url("/"), body))), Errc::unavailable,
               "the request to http://" + server.host() + " stalled: less than 1024 bytes/s for 1 s");
  enough.set();
}

TEST_F(EngineFaultsTest, APatientRequestWaitsThroughATrickle) {
  engine = make_curl_engine({.ca_bundle = {}, .low_speed_time = 1s});
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 8; ++i) {
      std::this_thread::sleep_for(250ms);  // stands for S3 at work on a large object
      connection.send(" ");
    }
    connection.send("ok");
  });
  Request request = get(server.url("/"));
  EXPECT_ERROR(error_of(perform(request)), Errc::unavailable, HasSubstr("stalled: less than 1024 bytes/s"));
  request.patient = true;
  const auto response = perform(request);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "        ok");
}

TEST_F(EngineFaultsTest, AMovingDeadlineMovesAsLongAsBytesDo) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 8; ++i) {
      std::this_thread::sleep_for(100ms);  // stands for a line that many share
      connection.send("x");
    }
    connection.wait_closed();
  });
  MovingDeadline moving(std::chrono::steady_clock::now() + 500ms);
  RecordingSink sink;
  const auto begin = std::chrono::steady_clock::now();
  const auto response = engine->perform(get(server.url("/")), &sink, {.deadline = SteadyTime::max(), .cancel = {}, .moving = &moving});
  EXPECT_ERROR(error_of(response), Errc::timeout, HasSubstr("the deadline passed before the answer was complete"));
  EXPECT_EQ(sink.bytes, "xxxxxxxx");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1100ms);
}

TEST_F(EngineFaultsTest, TruncatedBody) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable,
               "the answer of http://" + server.host() + " ended early, after 9 of 100 bytes");
}

TEST_F(EngineFaultsTest, TruncatedChunkedBody) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable, HasSubstr("ended early, after 5 bytes"));
}

TEST_F(EngineFaultsTest, ResetBeforeTheAnswer) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.reset();
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable,
               "connection to http://" + server.host() + " lost before it answered: Connection reset by peer");
}

TEST_F(EngineFaultsTest, ResetWithinTheBody) {
  Event read;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    read.wait();
    connection.reset();
  });
  class Sink final : public ResponseSink {
   public:
    explicit Sink(Event& event) : event_(event) {}
    Result<void> begin(const Response&) override { return {}; }
    Result<void> accept(std::span<const std::byte>) override {
      event_.set();
      return {};
    }

   private:
    Event& event_;
  } sink(read);
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &sink)), Errc::unavailable,
               AllOf(HasSubstr("lost after 3 bytes of the answer"), HasSubstr("reset")));
}

TEST_F(EngineFaultsTest, ClosedWithoutAnswer) {
  TestHttpServer server([](TestConnection& connection) { connection.read_head(); });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable, "http://" + server.host() + " closed the connection before it answered");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EngineFaultsTest, NotHttp) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("SSH-2.0-OpenSSH_9.2\r\n");
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable, HasSubstr("http://" + server.host() + " did not answer in HTTP/1.1"));
}

TEST_F(EngineFaultsTest, OversizedHeader) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("x-filler: " + std::string(8000, 'x') + "\r\n")) {
    }
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable, "http://" + server.host() + " sent more than 256 KiB of headers");
}

TEST_F(EngineFaultsTest, OversizedHeaderLine) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nx-endless: ");
    while (connection.send(std::string(8000, 'x'))) {
    }
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::unavailable, "http://" + server.host() + " sent a header line that is too long");
}

TEST_F(EngineFaultsTest, BodyInMemoryIsBounded) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (connection.send(std::string(65536, 'x'))) {
    }
  });
  EXPECT_ERROR(get_error(server.url("/")), Errc::too_large, HasSubstr("a body over 8 MiB"));
}

TEST_F(EngineFaultsTest, ErrorOfTheSinkIsTheErrorOfTheTransfer) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(200, std::string(100'000, 'x')); }));
  RecordingSink at_begin;
  at_begin.fail_begin = true;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &at_begin)), Errc::no_space, "the sink is full");
  EXPECT_EQ(at_begin.bytes, "");
  RecordingSink later;
  later.fail_after = 10;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &later)), Errc::io, "the sink broke");
  RecordingSink at_last;
  at_last.fail_after = 99'999;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &at_last)), Errc::io, "the sink broke");
  EXPECT_EQ(perform(get(server.url("/")))->status, 200) << "the engine goes on";
}

TEST_F(EngineFaultsTest, ErrorOfTheSinkEndsATransferWhoseRestDoesNotCome) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    connection.wait_closed();
  });
  RecordingSink sink;
  sink.fail_after = 4;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &sink)), Errc::io, "the sink broke");
}

TEST_F(EngineFaultsTest, ErrorOfTheSinkAtAnEmptyBody) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(200, ""); }));
  RecordingSink sink;
  sink.fail_begin = true;
  EXPECT_ERROR(error_of(perform(get(server.url("/")), &sink)), Errc::no_space, "the sink is full");
}

TEST_F(EngineFaultsTest, ErrorOfTheBodyIsTheErrorOfTheTransfer) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  const PatternSource body(512 * 1024, 200'000);
  EXPECT_ERROR(error_of(perform(put(server.url("/"), body))), Errc::io, "the disk broke");
}

TEST_F(EngineFaultsTest, DeadlineEndsAWait) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  const auto start = std::chrono::steady_clock::now();
  const auto response = engine->perform(get(server.url("/")), nullptr, {.deadline = start + 50ms, .cancel = {}});
  EXPECT_ERROR(error_of(response), Errc::timeout, "http://" + server.host() + ": the deadline passed before it answered");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(EngineFaultsTest, PassedDeadlineSendsNothing) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  const auto response = engine->perform(get(server.url("/")), nullptr, {.deadline = std::chrono::steady_clock::now(), .cancel = {}});
  EXPECT_ERROR(error_of(response), Errc::timeout, HasSubstr("before the request was sent"));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(EngineFaultsTest, CancelEndsAWait) {
  Event arrived;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    arrived.set();
    connection.wait_closed();
  });
  std::stop_source stop;
  std::jthread canceller([&] {
    arrived.wait();
    stop.request_stop();
  });
  const auto response = engine->perform(get(server.url("/")), nullptr, {.deadline = SteadyTime::max(), .cancel = stop.get_token()});
  EXPECT_ERROR(error_of(response), Errc::cancelled, "the request to http://" + server.host() + " was interrupted");
}

TEST_F(EngineFaultsTest, CancelBeforehandSendsNothing) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  std::stop_source stop;
  stop.request_stop();
  const auto response = engine->perform(get(server.url("/")), nullptr, {.deadline = SteadyTime::max(), .cancel = stop.get_token()});
  EXPECT_EQ(error_of(response).code, Errc::cancelled);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(EngineFaultsTest, DestructionCancelsWhatIsInFlight) {
  std::atomic<int> arrived = 0;
  Event all_arrived;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    if (++arrived == 2) {
      all_arrived.set();
    }
    connection.wait_closed();
  });
  engine = make_curl_engine({.connections_per_host_max = 2, .ca_bundle = {}});
  std::vector<Error> errors(4);
  std::vector<std::jthread> callers;
  std::atomic<int> entered = 0;
  for (Error& error : errors) {
    callers.emplace_back([&, engine_alive = engine.get()] {
      ++entered;
      error = error_of(engine_alive->perform(get(server.url("/")), nullptr, {}));
    });
  }
  ASSERT_TRUE(all_arrived.wait());
  while (entered < 4) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(20ms);  // entered is not yet within perform(), and perform() of a destroyed engine is not allowed
  engine.reset();
  callers.clear();
  for (const Error& error : errors) {
    EXPECT_ERROR(error, Errc::cancelled, HasSubstr("ended by the shutdown"));
  }
}

TEST_F(EngineFaultsTest, NotTls) {
  TestHttpServer server([](TestConnection& connection) {
    connection.read_bytes(1);
    connection.send(http_answer(400, "this is http"));
    connection.wait_closed();
  });
  EXPECT_ERROR(get_error("https://" + server.host() + "/"), Errc::invalid,
               "TLS: https://" + server.host() + " does not speak TLS; is it an http endpoint?");
}

TEST_F(EngineFaultsTest, HandshakeThatNeverEndsIsBoundByTheConnectTimeout) {
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  Request request = get("https://" + server.host() + "/");
  request.connect_timeout = 100ms;
  EXPECT_ERROR(error_of(perform(request)), Errc::unavailable, "no connection to https://" + server.host() + " within 100 ms");
}

TEST_F(EngineFaultsTest, MissingCaBundle) {
  engine = make_curl_engine({.ca_bundle = "/nonexistent/ca.pem"});
  TestHttpServer server([](TestConnection& connection) { connection.wait_closed(); });
  EXPECT_ERROR(get_error("https://" + server.host() + "/"), Errc::invalid, HasSubstr("cannot use the CA bundle /nonexistent/ca.pem"));
}

}  // namespace
}  // namespace prefixfs::http
