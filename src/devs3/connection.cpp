#include "connection.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::uint64_t kDrainBytesMax = 1024 * 1024;

std::string describe_errno(std::string_view call) { return fmt::format("{}: {}", call, std::strerror(errno)); }

}  // namespace

Result<HttpRequest> Connection::read_head() {
  std::array<char, 16 * 1024> block;
  std::size_t searched = 0;
  for (;;) {
    const auto end = buffer_.find("\r\n\r\n", searched);
    if (end != std::string::npos) {
      const std::string head = buffer_.substr(0, end + 4);
      buffer_.erase(0, end + 4);
      return parse_head(head);
    }
    if (buffer_.size() > kHeadBytesMax) {
      return fail(Errc::too_large, "the request's head is larger than 64 KiB");
    }
    searched = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
    const auto got = ::recv(socket_, block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return fail(Errc::cancelled, "the client closed the connection");
    }
    buffer_.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<std::size_t> Connection::read(std::span<std::byte> out) {
  if (!buffer_.empty()) {
    const auto count = std::min(out.size(), buffer_.size());
    std::memcpy(out.data(), buffer_.data(), count);
    buffer_.erase(0, count);
    return count;
  }
  for (;;) {
    const auto got = ::recv(socket_, out.data(), out.size(), 0);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return fail(Errc::timeout, "the client sent nothing for too long");
    }
    if (errno != EINTR) {
      return fail(Errc::io, describe_errno("recv"));
    }
  }
}

Result<void> Connection::write(std::string_view data) {
  while (!data.empty()) {
    const auto sent = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent < 0) {
      return fail(Errc::io, describe_errno("send"));
    }
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> Connection::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  auto position = static_cast<off_t>(offset);
  while (length > 0) {
    const auto sent = ::sendfile(socket_, fd, &position, std::min<std::uint64_t>(length, 1 << 30));
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return fail(Errc::io, describe_errno("sendfile"));
    }
    length -= static_cast<std::uint64_t>(sent);
  }
  return {};
}

void Connection::reset_on_close() {
  const struct linger abrupt{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
}

void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const timeval brief{.tv_sec = 0, .tv_usec = 200'000};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  std::array<char, 64 * 1024> block;
  // A client in the middle of a large upload may go on for a while: 64 MiB at most are swallowed for its sake.
  for (int blocks = 0; blocks < 1024 && ::recv(socket_, block.data(), block.size(), 0) > 0; ++blocks) {
  }
}

Outcome<std::size_t> HttpBody::read(std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size() && remaining_ > 0) {
    S3_TRY_ASSIGN(const auto got, read_some(out.subspan(filled)));
    filled += got;
  }
  return filled;
}

Outcome<std::size_t> HttpBody::read_some(std::span<std::byte> out) {
  if (must_continue_) {
    must_continue_ = false;
    if (!connection_.write("HTTP/1.1 100 Continue\r\n\r\n")) {
      return refuse(400, "IncompleteBody", "The client is gone");
    }
  }
  auto wanted = std::min<std::uint64_t>(out.size(), remaining_);
  if (bytes_per_second_ > 0) {
    wanted = std::clamp<std::uint64_t>(bytes_per_second_ / 20, 1, wanted);
    std::this_thread::sleep_for(std::chrono::microseconds(wanted * 1'000'000 / bytes_per_second_));
  }
  const auto got = connection_.read(out.first(wanted));
  if (!got && got.error().code == Errc::timeout) {
    return refuse(400, "RequestTimeout",
                  "Your socket connection to the server was not read from or written to within the timeout period. "
                  "Idle connections will be closed.");
  }
  if (!got || *got == 0) {
    return refuse(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header");
  }
  remaining_ -= *got;
  received_ += *got;
  return *got;
}

bool HttpBody::drain() {
  // After Expect: 100-continue and a refusal the client may send the body or not; only a new connection is unambiguous.
  if (remaining_ > 0 && (must_continue_ || remaining_ > kDrainBytesMax)) {
    return false;
  }
  bytes_per_second_ = 0;
  std::array<std::byte, 16 * 1024> block;
  while (remaining_ > 0) {
    if (!read_some(block)) {
      return false;
    }
  }
  return true;
}

}  // namespace prefixfs::devs3
