#include "upgrade.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "background.h"
#include "prefixfs/fuse/mount.h"

namespace prefixfs::daemon {
namespace {

struct Address {
  sockaddr_un name{};
  socklen_t size = 0;
};

Address address_of(const std::string& device) {
  const std::string name = "prefixfs/" + device;  // after a zero byte: unix(7), "abstract"
  Address address;
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path + 1, name.data(), name.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

/// Anybody may take an abstract name, and anybody may connect to it.
bool is_of_user(const UniqueFd& socket, uid_t user) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == user);
}

}  // namespace

Result<UniqueFd> listen_for_upgrade(const std::string& device) {
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const Address address = address_of(device);
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) != 0 ||
      ::listen(listener.get(), 8) != 0) {
    return fail(Errc::io, fmt::format("the mount cannot be upgraded for now: {}", std::strerror(errno)));
  }
  return listener;
}

UniqueFd accept_upgrade(const UniqueFd& listener) {
  UniqueFd asker(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return asker && is_of_user(asker, ::geteuid()) ? std::move(asker) : UniqueFd();
}

void answer_upgrade(UniqueFd asker, const std::string& problem) {
  const std::string line = problem.empty() ? "+" : "-" + problem;
  if (asker && ::send(asker.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    // Who asked has gone; the log has the outcome too.
  }
}

int ask_for_upgrade(const std::string& mountpoint) {
  const std::string device = fuse::mounted_device(mountpoint);
  if (device.empty()) {
    std::fprintf(stderr, "prefixfs: no prefixfs is mounted on %s\n", mountpoint.c_str());
    return kExitUsage;
  }
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = address_of(device);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) != 0) {
    std::fprintf(stderr, "prefixfs: the supervisor of %s cannot be reached: %s\n", mountpoint.c_str(), std::strerror(errno));
    return kExitSystem;
  }
  if (::geteuid() != 0 && !is_of_user(socket, ::geteuid())) {
    std::fprintf(stderr, "prefixfs: %s belongs to another user\n", mountpoint.c_str());
    return kExitSystem;
  }
  std::array<char, 512> answer{};
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL);
  if (got > 0 && answer[0] == '+') {
    return kExitSuccess;
  }
  const std::string problem = got > 1 ? std::string(answer.data() + 1, static_cast<std::size_t>(got) - 1) : "the supervisor has refused or ended";
  std::fprintf(stderr, "prefixfs: %s: %s\n", mountpoint.c_str(), problem.c_str());
  return kExitSystem;
}

}  // namespace prefixfs::daemon
