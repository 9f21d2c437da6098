#include "test_http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <tuple>

namespace prefixfs::test {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// A socket bound to a free port of 127.0.0.1, and the port.
std::pair<UniqueFd, int> bound_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("bind to loopback");
    std::abort();
  }
  return {std::move(fd), ntohs(address.sin_port)};
}

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 412: return "Precondition Failed";
    default: return "Status";
  }
}

}  // namespace

std::string ReceivedRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, [](const auto& entry) { return std::string_view(entry.first); });
  return found == headers.end() ? "" : found->second;
}

bool ReceivedRequest::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& entry) { return entry.first == name; });
}

bool TestConnection::read_more() {
  char chunk[65536];
  const ssize_t count = ::recv(fd_.get(), chunk, sizeof(chunk), 0);
  if (count <= 0) {
    return false;
  }
  buffer_.append(chunk, static_cast<std::size_t>(count));
  return true;
}

std::optional<ReceivedRequest> TestConnection::read_head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  ReceivedRequest request;
  request.connection = number_;
  const std::size_t line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || first == last) {
    return std::nullopt;
  }
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  for (std::size_t at = line_end + 2; at < head.size();) {
    const std::size_t next = head.find("\r\n", at);
    const std::string field = head.substr(at, next - at);
    const std::size_t colon = field.find(':');
    if (colon != std::string::npos) {
      request.headers.emplace_back(lower(field.substr(0, colon)), trim(field.substr(colon + 1)));
    }
    at = next + 2;
  }
  return request;
}

std::optional<std::string> TestConnection::read_bytes(std::size_t count) {
  while (buffer_.size() < count) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::optional<ReceivedRequest> TestConnection::read_request() {
  std::optional<ReceivedRequest> request = read_head();
  if (!request) {
    return std::nullopt;
  }
  if (lower(request->header("expect")) == "100-continue") {
    send("HTTP/1.1 100 Continue\r\n\r\n");
  }
  const std::string length = request->header("content-length");
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  std::optional<std::string> body = read_bytes(size);
  if (!body) {
    return std::nullopt;
  }
  request->body = std::move(*body);
  return request;
}

bool TestConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void TestConnection::wait_closed() {
  while (read_more()) {
    buffer_.clear();
  }
}

void TestConnection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  // The number stays reserved until the server is gone, so that shut_down() from another thread cannot meet a stranger: an unconnected
  // socket takes its place, and the last reference to the connection goes with that.
  const UniqueFd placeholder(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::dup3(placeholder.get(), fd_.get(), O_CLOEXEC);
}

void TestConnection::shut_down() { ::shutdown(fd_.get(), SHUT_RDWR); }

TestHttpServer::TestHttpServer(Script script) : script_(std::move(script)) {
  std::tie(listener_, port_) = bound_socket();
  const int small = 64 * 1024;  // else loopback swallows megabytes which the script has not read
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  if (::listen(listener_.get(), 256) != 0) {
    std::perror("listen");
    std::abort();
  }
  acceptor_ = std::jthread([this] { accept_all(); });
}

TestHttpServer::Script TestHttpServer::answering(Handler handler) {
  return [handler = std::move(handler)](TestConnection& connection) {
    while (const auto request = connection.read_request()) {
      const std::string answer = handler(*request);
      if (answer.empty() || !connection.send(answer)) {
        return;
      }
    }
  };
}

TestHttpServer::~TestHttpServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (TestConnection& connection : open_) {
    connection.shut_down();
  }
  threads_.clear();
}

void TestHttpServer::accept_all() {
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) {
      return;
    }
    const std::lock_guard lock(mutex_);
    TestConnection& connection = open_.emplace_back(std::move(fd), ++connections_);
    threads_.emplace_back([this, &connection] {
      script_(connection);
      connection.shut_down();
    });
  }
}

std::string TestHttpServer::host() const { return fmt::format("127.0.0.1:{}", port_); }
std::string TestHttpServer::url(std::string_view target) const { return fmt::format("http://{}{}", host(), target); }

std::string http_answer(int status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n{}\r\n{}", status, reason(status), body.size(), headers, body);
}

int free_port() { return bound_socket().second; }

}  // namespace prefixfs::test
