#include "channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace prefixfs::admin {
namespace {

// The other end is a process of this host; one that takes nothing for so long is stopped or broken.
constexpr int kSendMsMax = 5'000;

std::unexpected<Error> failed(std::string_view action, int error_number) {
  return fail(Errc::io, fmt::format("cannot {}: {}", action, std::generic_category().message(error_number)));
}

}  // namespace

Result<void> Channel::send(const Fields& record) {
  const std::string text = record.text() + "\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      return failed("send", errno);
    }
    pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kSendMsMax) == 0) {
      return fail(Errc::io, "the other end takes nothing");
    }
  }
  return {};
}

/// False at the end.
Result<bool> Channel::fill(SteadyTime until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (left <= 0 || ::poll(&readable, 1, static_cast<int>(std::min<std::int64_t>(left, 1'000'000))) == 0) {
    return fail(Errc::timeout, "the other end does not answer");
  }
  std::array<char, 4096> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (got < 0) {
    return failed("receive", errno);
  }
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

Result<std::optional<Fields>> Channel::receive(SteadyTime until) {
  std::size_t end = 0;
  while ((end = received_.find("\n\n")) == std::string::npos) {
    if (received_.size() > kRecordBytesMax) {
      return fail(Errc::too_large, fmt::format("a record has more than {} bytes", kRecordBytesMax));
    }
    TRY_ASSIGN(const bool more, fill(until));
    if (!more) {
      return received_.empty() ? Result<std::optional<Fields>>(std::nullopt) : fail(Errc::invalid, "the last record is cut off");
    }
  }
  const std::string text = received_.substr(0, end + 1);
  received_.erase(0, end + 2);
  TRY_ASSIGN(Fields record, Fields::parse(text));
  return std::optional<Fields>(std::move(record));
}

void Channel::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

Result<SocketAddress> SocketAddress::in(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    const int error_number = errno;
    const Errc code = error_number == ENOENT ? Errc::not_found : error_number == EACCES ? Errc::denied : Errc::io;
    return fail(code, fmt::format("{} cannot be opened: {}", directory, std::generic_category().message(error_number)));
  }
  return SocketAddress{std::move(fd)};
}

std::string SocketAddress::path() const { return fmt::format("/proc/self/fd/{}/{}", directory.get(), kSocketName); }

}  // namespace prefixfs::admin
