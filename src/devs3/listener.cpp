#include "listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

constexpr int kBacklog = 1024;
constexpr time_t kIdleSeconds = 20;  // S3 closes an idle connection after about as long
constexpr time_t kSendSeconds = 60;

std::unexpected<prefixfs::Error> failed(std::string_view what) {
  return fail(Errc::io, fmt::format("{}: {}", what, std::strerror(errno)));
}

void prepare(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval idle{.tv_sec = kIdleSeconds, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
  const timeval send{.tv_sec = kSendSeconds, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const std::string& address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1) {
    return fail(Errc::invalid, fmt::format("'{}' is not an IPv4 address", address));
  }
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC));
  if (!socket || !wake) {
    return failed("socket");
  }
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t length = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  if (::bind(socket.get(), generic, sizeof name) != 0 || ::listen(socket.get(), kBacklog) != 0 ||
      ::getsockname(socket.get(), generic, &length) != 0) {
    return failed(fmt::format("cannot listen on {}:{}", address, port));
  }
  return std::unique_ptr<Listener>(new Listener(std::move(socket), std::move(wake), ntohs(name.sin_port)));
}

Listener::~Listener() { stop(); }

void Listener::run(const Serve& serve) {
  std::array<pollfd, 2> watched{{{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
      break;
    }
    if (watched[1].revents != 0) {
      break;
    }
    if (watched[0].revents != 0) {
      if (UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); socket) {
        start_client(std::move(socket), serve);
      } else if (errno == EMFILE || errno == ENFILE) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // until a client leaves; poll() would return at once
      }
    }
    forget_finished();
  }
  std::list<Client> last;
  {
    const std::lock_guard lock(mutex_);
    last.swap(clients_);
    for (const auto& client : last) {
      ::shutdown(client.socket.get(), SHUT_RDWR);
    }
  }
}

void Listener::start_client(UniqueFd socket, const Serve& serve) {
  prepare(socket.get());
  const std::lock_guard lock(mutex_);
  auto& client = clients_.emplace_back();
  client.socket = std::move(socket);
  client.thread = std::jthread([this, &client, &serve] {
    const int descriptor = client.socket.get();
    serve(descriptor);
    const std::lock_guard inner(mutex_);
    client.socket.reset();  // at once: the client may be waiting for the end, and the list is tidied only with the next connection
    client.done = true;
  });
}

void Listener::forget_finished() {
  const std::lock_guard lock(mutex_);
  clients_.remove_if([](const Client& client) { return client.done; });
}

void Listener::stop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace prefixfs::devs3
