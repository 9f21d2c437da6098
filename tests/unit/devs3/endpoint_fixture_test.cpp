// The fixture's body; named *_test.cpp because that is what the build collects.
#include "endpoint_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/base/unique_fd.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::devs3 {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

void send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const auto sent = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;  // the endpoint may answer and close before it has read all
    }
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string receive_all(int fd) {
  std::string out;
  std::array<char, 65536> block;
  for (;;) {
    const auto got = ::recv(fd, block.data(), block.size(), 0);
    if (got <= 0) {
      return out;
    }
    out.append(block.data(), static_cast<std::size_t>(got));
  }
}

Answer parse_answer(std::string text) {
  Answer answer;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (text.starts_with(kContinue)) {
    answer.continued = true;
    text.erase(0, kContinue.size());
  }
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos || text.size() < 12) {
    return answer;
  }
  answer.status = std::stoi(text.substr(9, 3));
  for (auto begin = text.find("\r\n") + 2; begin < end;) {
    const auto line_end = text.find("\r\n", begin);
    const auto colon = text.find(':', begin);
    answer.headers[lower(text.substr(begin, colon - begin))] = text.substr(colon + 2, line_end - colon - 2);
    begin = line_end + 2;
  }
  answer.body = text.substr(end + 4);
  const auto length = answer.headers.find("content-length");
  answer.complete = length != answer.headers.end() && std::stoull(length->second) == answer.body.size();
  return answer;
}

HeaderList signed_headers(const Call& call, std::uint16_t port) {
  HeaderList headers = call.headers;
  headers.emplace_back("host", fmt::format("127.0.0.1:{}", port));
  if (call.sign) {
    const auto hash = call.payload.empty() ? crypto::hex(crypto::sha256(call.body)) : call.payload;
    headers.emplace_back("x-amz-content-sha256", hash);
    headers.emplace_back("x-amz-date", format_iso8601_basic(call.time));
    if (!call.token.empty()) {
      headers.emplace_back("x-amz-security-token", call.token);
    }
    headers.emplace_back("authorization", authorization(call, headers));
  }
  return headers;
}

}  // namespace

std::string Answer::element(const std::string& name) const {
  const auto open = fmt::format("<{}>", name);
  const auto begin = body.find(open);
  const auto end = body.find(fmt::format("</{}>", name));
  return begin == std::string::npos || end == std::string::npos ? "" : body.substr(begin + open.size(), end - begin - open.size());
}

std::string authorization(const Call& call, const HeaderList& headers) {
  HttpRequest request;
  request.method = call.method;
  const auto question = call.target.find('?');
  request.path = call.target.substr(0, question);
  request.query = question == std::string::npos ? "" : call.target.substr(question + 1);
  Authentication authentication;
  for (const auto& [name, value] : headers) {
    request.headers.add(lower(name), value);
    if (lower(name) == "host" || lower(name).starts_with("x-amz-")) {
      authentication.signed_headers.push_back(lower(name));
    }
  }
  auto& names = authentication.signed_headers;
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  authentication.payload = request.headers.get("x-amz-content-sha256");
  authentication.time = call.time;
  authentication.date = format_iso8601_basic(call.time).substr(0, 8);
  authentication.region = call.region;
  const auto text = string_to_sign(authentication, canonical_request(request, authentication));
  const auto signature = crypto::hex(crypto::hmac_sha256(signing_key(authentication, call.secret), text));
  std::string joined;
  for (const auto& name : names) {
    joined += (joined.empty() ? "" : ";") + name;
  }
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}/{}/s3/aws4_request, SignedHeaders={}, Signature={}", call.access,
                     authentication.date, call.region, joined, signature);
}

void EndpointTest::SetUp() {
  std::string name = testing::TempDir() + "devs3XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  root_ = name;
  settings_.root = root_;
  settings_.keys = {{"devs3", "devs3secret", {}, {}, {}, {}, {}}};
  if (settings_.buckets.empty()) {
    settings_.buckets = {{"bucket", {}, {}}};
  }
  settings_.control = true;
  restart();
}

void EndpointTest::TearDown() {
  endpoint_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void EndpointTest::restart() {
  endpoint_.reset();
  auto started = Endpoint::start(settings_);
  ASSERT_TRUE(started) << started.error().what;
  endpoint_ = std::move(*started);
}

Answer EndpointTest::send(const Call& call) {
  auto headers = signed_headers(call, endpoint_->port());
  headers.insert(headers.end(), call.unsigned_headers.begin(), call.unsigned_headers.end());
  std::string text = fmt::format("{} {} HTTP/1.1\r\nConnection: close\r\n", call.method, call.target);
  const bool has_length = std::ranges::any_of(headers, [](const auto& pair) { return lower(pair.first) == "content-length"; });
  if (!has_length && (!call.body.empty() || call.method == "PUT" || call.method == "POST")) {
    headers.emplace_back("Content-Length", std::to_string(call.body.size()));
  }
  for (const auto& [name, value] : headers) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  text += "\r\n";
  const auto fd = connect_to(endpoint_->port());
  send_all(fd.get(), call.send_body ? text + call.body : text);
  return parse_answer(receive_all(fd.get()));
}

Answer EndpointTest::put(const std::string& key, const std::string& body, HeaderList headers) {
  return send({.method = "PUT", .target = "/bucket/" + key, .headers = std::move(headers), .body = body});
}

Answer EndpointTest::get(const std::string& key, HeaderList headers) {
  return send({.target = "/bucket/" + key, .headers = std::move(headers)});
}

Answer EndpointTest::head(const std::string& key, HeaderList headers) {
  return send({.method = "HEAD", .target = "/bucket/" + key, .headers = std::move(headers)});
}

Answer EndpointTest::erase(const std::string& key, HeaderList headers) {
  return send({.method = "DELETE", .target = "/bucket/" + key, .headers = std::move(headers)});
}

Answer EndpointTest::list(const std::string& query) { return send({.target = "/bucket?list-type=2" + query}); }

nlohmann::json EndpointTest::control(const std::string& method, const std::string& path, const std::string& body) {
  const auto answer = send({.method = method, .target = "/_devs3/" + path, .body = body, .sign = false});
  return nlohmann::json::parse(answer.body, nullptr, false);
}

}  // namespace prefixfs::devs3
