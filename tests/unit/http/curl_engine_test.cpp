// What every caller relies on: requests as they go out, answers as they come back.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "http_fixture.h"

namespace prefixfs::http {
namespace {

using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST_F(EngineTest, GetReturnsStatusHeadersAndBody) {
  TestHttpServer server(TestHttpServer::answering(
      [](const ReceivedRequest&) { return http_answer(200, "hello", "ETag:  \"abc\" \r\nX-Two: 1\r\nx-two: 2\r\n"); }));
  const auto response = perform(get(server.url("/a")));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("etag"), "\"abc\"");
  EXPECT_EQ(response->header("x-two"), "1");
  EXPECT_EQ(response->header("content-length"), "5");
  EXPECT_FALSE(response->header("absent"));
  EXPECT_FALSE(response->reused_connection);
}

TEST_F(EngineTest, SendsTheTargetAsItIs) {
  std::string target;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    target = request.target;
    return http_answer(200, "");
  }));
  const std::string odd = "/b/../a//./x/%2e%2E/%7Etilde~/+plus/%c3%bc?b=%2F+%20&a=&a==1";
  ASSERT_TRUE(perform(get(server.url(odd))));
  EXPECT_EQ(target, odd);
}

TEST_F(EngineTest, SendsHeadersEmptyOnesToo) {
  ReceivedRequest seen;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    seen = request;
    return http_answer(200, "");
  }));
  Request request = get(server.url("/"));
  request.headers = {{"X-Amz-Meta-A", "value: with, signs"}, {"x-empty", ""}, {"Range", "bytes=0-9"}};
  ASSERT_TRUE(perform(request));
  EXPECT_EQ(seen.header("x-amz-meta-a"), "value: with, signs");
  EXPECT_TRUE(seen.has_header("x-empty"));
  EXPECT_EQ(seen.header("range"), "bytes=0-9");
  EXPECT_EQ(seen.header("host"), server.host());
  EXPECT_EQ(seen.header("user-agent"), "prefixfs");
  EXPECT_FALSE(seen.has_header("accept-encoding"));
  EXPECT_FALSE(seen.has_header("content-length"));
  EXPECT_FALSE(seen.has_header("expect"));
}

TEST_F(EngineTest, RefusesHeadersThatWouldSplitTheMessage) {
  for (const Header& bad : {Header{"x-a", "1\r\nx-b: 2"}, Header{"x a", "1"}, Header{"", "1"}, Header{"x-a", std::string("\0", 1)}}) {
    Request request = get("http://127.0.0.1:1/");
    request.headers = {bad};
    const auto response = perform(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::invalid);
  }
}

TEST_F(EngineTest, HeadHasNoBodyInSpiteOfItsLength) {
  std::string method;
  TestHttpServer server([&](TestConnection& connection) {
    while (const auto request = connection.read_request()) {
      method = request->method;
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 123456\r\n\r\n");
    }
  });
  RecordingSink sink;
  const auto response = perform({.method = "HEAD", .url = server.url("/a"), .headers = {}}, &sink);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(method, "HEAD");
  EXPECT_EQ(response->header("content-length"), "123456");
  EXPECT_EQ(sink.begun, 0);
}

TEST_F(EngineTest, DeleteAndBodylessPutAndPost) {
  std::vector<ReceivedRequest> seen;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    seen.push_back(request);
    return request.method == "DELETE" ? "HTTP/1.1 204 No Content\r\n\r\n" : http_answer(200, "");
  }));
  EXPECT_EQ(perform({.method = "DELETE", .url = server.url("/a"), .headers = {}})->status, 204);
  EXPECT_EQ(perform({.method = "PUT", .url = server.url("/a"), .headers = {}})->status, 200);
  EXPECT_EQ(perform({.method = "POST", .url = server.url("/a?uploads"), .headers = {}})->status, 200);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_FALSE(seen[0].has_header("content-length"));
  EXPECT_EQ(seen[1].method, "PUT");
  EXPECT_EQ(seen[1].header("content-length"), "0");
  EXPECT_EQ(seen[2].method, "POST");
  EXPECT_EQ(seen[2].header("content-length"), "0");
  EXPECT_FALSE(seen[2].has_header("content-type"));
}

TEST_F(EngineTest, SmallBodyGoesWithoutExpect) {
  ReceivedRequest seen;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    seen = request;
    return http_answer(200, "");
  }));
  const SpanSource body(bytes_of("<xml/>"));
  Request request{.method = "POST", .url = server.url("/a?delete"), .headers = {{"content-length", "99"}, {"Expect", "x"}}, .body = &body};
  ASSERT_TRUE(perform(request));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, "<xml/>");
  EXPECT_EQ(seen.header("content-length"), "6");
  EXPECT_FALSE(seen.has_header("expect"));
  EXPECT_FALSE(seen.has_header("transfer-encoding"));
}

TEST_F(EngineTest, LargeUploadWaitsForContinueAndIsReadByPosition) {
  ReceivedRequest seen;
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest& request) {
    seen = request;
    return http_answer(200, "");
  }));
  const PatternSource body(5 * 1024 * 1024 + 17);
  const auto response = perform(put(server.url("/big"), body));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(seen.header("expect"), "100-continue");
  EXPECT_EQ(seen.header("content-length"), std::to_string(body.size()));
  EXPECT_TRUE(seen.body == body.text());
}

TEST_F(EngineTest, EarlyRefusalSavesTheUpload) {
  std::atomic<bool> body_came = false;
  TestHttpServer server([&](TestConnection& connection) {
    if (connection.read_head()) {
      connection.send(http_answer(403, "<Error/>"));
      body_came = connection.read_bytes(1).has_value();
    }
  });
  const PatternSource body(5 * 1024 * 1024);
  const auto response = perform(put(server.url("/big"), body));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, "<Error/>");
  engine.reset();
  EXPECT_FALSE(body_came);
}

TEST_F(EngineTest, EarlyRefusalIsReadThoughTheBodyIsNotTaken) {
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_head();
    connection.send(http_answer(412, "<Error/>"));
    connection.wait_closed();
  });
  const PatternSource body(1024 * 1024);  // no Expect: the body is on its way when the answer comes
  for (int i = 0; i < 2; ++i) {
    const auto response = perform(put(server.url("/a"), body));
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->status, 412);
    EXPECT_EQ(response->body, "<Error/>");
  }
  EXPECT_EQ(server.connections(), 2) << "what was left of the body must not be taken for a request";
}

TEST_F(EngineTest, ServerThatIgnoresExpectGetsTheBody) {
  TestHttpServer server([&](TestConnection& connection) {
    if (connection.read_head() && connection.read_bytes(2 * 1024 * 1024)) {
      connection.send(http_answer(200, "stored"));
    }
  });
  const PatternSource body(2 * 1024 * 1024);
  const auto response = perform(put(server.url("/big"), body));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "stored");
}

TEST_F(EngineTest, ExpectationFailedIsRepeatedWithoutIt) {
  TestHttpServer server([&](TestConnection& connection) {
    while (const auto head = connection.read_head()) {
      if (head->has_header("expect")) {
        connection.send(http_answer(417, ""));
        continue;
      }
      const auto body = connection.read_bytes(2 * 1024 * 1024);
      connection.send(http_answer(200, body && *body == PatternSource(2 * 1024 * 1024).text() ? "same" : "other"));
    }
  });
  const PatternSource body(2 * 1024 * 1024);
  const auto response = perform(put(server.url("/big"), body));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "same");
}

TEST_F(EngineTest, SinkGetsTheBodyOfA2xx) {
  const std::string large(3 * 1024 * 1024, 'x');
  TestHttpServer server(
      TestHttpServer::answering([&](const ReceivedRequest&) { return http_answer(206, large, "Content-Range: bytes 0-9/10\r\n"); }));
  RecordingSink sink;
  const auto response = perform(get(server.url("/a")), &sink);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(sink.status, 206);
  EXPECT_EQ(sink.content_range, "bytes 0-9/10");
  EXPECT_TRUE(sink.bytes == large);
  EXPECT_EQ(response->body, "");
}

TEST_F(EngineTest, SinkGetsWhatCameAtOnceInOnePiece) {
  const std::string large(8 << 20, 'x');
  TestHttpServer server(TestHttpServer::answering([&](const ReceivedRequest&) { return http_answer(200, large); }));
  RecordingSink sink;
  ASSERT_TRUE(perform(get(server.url("/a")), &sink));
  EXPECT_TRUE(sink.bytes == large);
  EXPECT_LT(sink.pieces, large.size() / (16 << 10)) << "libcurl's pieces are of 16 KiB at most";
}

TEST_F(EngineTest, SinkGetsWhatHasComeBeforeTheRestComes) {
  RecordingSink sink;
  sink.tell_from = 5;
  bool told = false;
  TestHttpServer server([&](TestConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    told = sink.told.wait();
    connection.send("56789");
  });
  ASSERT_TRUE(perform(get(server.url("/a")), &sink));
  EXPECT_TRUE(told);
  EXPECT_EQ(sink.bytes, "0123456789");
}

TEST_F(EngineTest, SinkIsBegunForAnEmptyBody) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(200, ""); }));
  RecordingSink sink;
  ASSERT_TRUE(perform(get(server.url("/a")), &sink));
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(sink.bytes, "");
}

TEST_F(EngineTest, ErrorBodiesGoToTheResponseNotToTheSink) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(404, "<Code>NoSuchKey</Code>"); }));
  RecordingSink sink;
  const auto response = perform(get(server.url("/a")), &sink);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "<Code>NoSuchKey</Code>");
  EXPECT_EQ(sink.begun, 0);
}

TEST_F(EngineTest, RedirectsAreAnswersLikeOthers) {
  TestHttpServer server(
      TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(301, "moved", "Location: http://127.0.0.1:1/\r\n"); }));
  const auto response = perform(get(server.url("/a")));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 301);
  EXPECT_EQ(response->header("location"), "http://127.0.0.1:1/");
}

TEST_F(EngineTest, ChunkedAnswerWithTrailers) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Head: 1\r\n\r\n4\r\nwiki\r\n6\r\npedia \r\n0\r\nX-Trailer: 1\r\n\r\n";
  }));
  const auto response = perform(get(server.url("/a")));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "wikipedia ");
  EXPECT_EQ(response->header("x-head"), "1");
  EXPECT_FALSE(response->header("x-trailer"));
}

TEST_F(EngineTest, InterimAnswersAreSkipped) {
  TestHttpServer server(TestHttpServer::answering([](const ReceivedRequest&) {
    return "HTTP/1.1 102 Processing\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + http_answer(200, "done", "X-Final: 1\r\n");
  }));
  const auto response = perform(get(server.url("/a")));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "done");
  EXPECT_FALSE(response->header("x-interim"));
  EXPECT_EQ(response->header("x-final"), "1");
}

TEST_F(EngineTest, WrongArgumentsAreInvalid) {
  const PatternSource body(1);
  for (const Request& request : std::vector<Request>{
           get(""), get("/relative"), get("host/path"), get("ftp://host/"), get("file:///etc/passwd"), get("http://"),
           get("http://user:geheim@host/"), get("http://host/a b"), get("http://host/a\r\nx: y"), get("http://host:99999/"),
           {.method = "BREW", .url = "http://host/", .headers = {}},
           {.method = "GET", .url = "http://host/", .headers = {}, .body = &body}}) {
    const auto response = perform(request);
    ASSERT_FALSE(response) << request.url;
    EXPECT_EQ(response.error().code, Errc::invalid) << request.url << ": " << response.error().what;
    EXPECT_THAT(response.error().what, ::testing::Not(HasSubstr("geheim")));
  }
}

}  // namespace
}  // namespace prefixfs::http
