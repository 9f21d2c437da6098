// The proxy variables are honoured, and only where they should be.

#include <gmock/gmock.h>

#include "http_fixture.h"

namespace prefixfs::http {
namespace {

class EngineProxyTest : public EngineTest {
 protected:
  void use_proxy(const std::string& url) { ::setenv("http_proxy", url.c_str(), 1); }
  ~EngineProxyTest() override { ::unsetenv("http_proxy"); }
};

TEST_F(EngineProxyTest, RequestsGoThroughTheProxy) {
  std::string target;
  TestHttpServer proxy(TestHttpServer::answering([&](const ReceivedRequest& request) {
    target = request.target;
    return http_answer(200, "from the proxy");
  }));
  use_proxy(proxy.url(""));
  const auto response = perform(get("http://bucket.example/key"));
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "from the proxy");
  EXPECT_EQ(target, "http://bucket.example/key");
}

TEST_F(EngineProxyTest, BypassGoesStraight) {
  TestHttpServer proxy(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(200, "from the proxy"); }));
  TestHttpServer metadata(TestHttpServer::answering([](const ReceivedRequest&) { return http_answer(200, "straight"); }));
  use_proxy(proxy.url(""));
  Request request = get(metadata.url("/latest"));
  request.bypass_proxy = true;
  const auto response = perform(request);
  ASSERT_TRUE(response) << response.error().what;
  EXPECT_EQ(response->body, "straight");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(EngineProxyTest, UnknownProxyIsNamedAsTheCause) {
  use_proxy("http://proxy.invalid:3128");
  const auto response = perform(get("http://bucket.example/key"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_THAT(response.error().what, ::testing::StartsWith("cannot resolve the proxy on the way to http://bucket.example:80"));
}

}  // namespace
}  // namespace prefixfs::http
