#include "client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "channel.h"
#include "prefixfs/admin/mount_entry.h"

namespace prefixfs::admin {
namespace {

// Longer than a daemon waits for a delivery that is to end.
constexpr std::chrono::seconds kAnswerTime{30};

/// The daemon's words; a code of a newer one is a refusal like any other.
std::unexpected<Error> refused(const Fields& end) {
  const std::string& code = end.get("code");
  for (const Errc known : {Errc::not_found, Errc::denied, Errc::timeout, Errc::no_space, Errc::unsupported, Errc::invalid, Errc::too_large}) {
    if (to_string(known) == code) {
      return fail(known, end.get("what"));
    }
  }
  return fail(Errc::io, end.get("what"));
}

Result<UniqueFd> connect_to(const Place& place) {
  TRY_ASSIGN(const SocketAddress address, SocketAddress::in(place.cache_dir));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail(Errc::io, fmt::format("cannot make a socket: {}", std::generic_category().message(errno)));
  }
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, address.path().c_str(), sizeof name.sun_path - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) {
    return socket;
  }
  if (errno == EACCES || errno == EPERM) {
    return fail(Errc::denied, fmt::format("the mount on {} is another user's: only that one and root may ask", place.mountpoint));
  }
  return fail(Errc::unavailable, fmt::format("{} is not mounted: no daemon answers for {}", place.mountpoint, place.cache_dir));
}

}  // namespace

Result<Place> find_place(const config::AdminRequest& request, const Environment& environment) {
  Place place{.mountpoint = real_mountpoint(request.mountpoint), .cache_dir = request.cache_dir};
  if (!place.cache_dir.empty()) {
    return place;
  }
  const bool is_root = ::geteuid() == 0;
  std::optional<Error> problem;
  for (const bool of_root : {is_root, true}) {  // an ordinary user is told that the mount is root's, instead of that there is none
    const auto directory = config::mounts_dir(of_root, environment);
    auto entry = directory ? find_mount(*directory, place.mountpoint) : Result<MountEntry>(fail(directory.error()));
    if (entry) {
      place.cache_dir = entry->cache_dir;
      return place;
    }
    if (entry.error().code != Errc::not_found) {
      problem = std::move(entry.error());
    }
  }
  return problem ? fail(std::move(*problem))
                 : fail(Errc::not_found, fmt::format("{} is not mounted by prefixfs, and nothing is known of a mount there; -o cache_dir=DIR names "
                                                     "the cache directory of one that was",
                                                     place.mountpoint));
}

Result<Fields> ask(const Place& place, const Fields& request, const std::function<void(const Fields&)>& record) {
  TRY_ASSIGN(UniqueFd socket, connect_to(place));
  Channel channel(std::move(socket));
  // Who is refused is told so before anything is read of him.
  const auto sent = channel.send(request);
  channel.finish_sending();
  for (;;) {
    TRY_ASSIGN(const std::optional<Fields> got, channel.receive(std::chrono::steady_clock::now() + kAnswerTime));
    if (!got) {
      return fail(sent ? Error{Errc::io, "the daemon ended while it answered", {}} : sent.error());
    }
    if (got->get("record") == "end") {
      return got->get("ok") == "1" ? Result<Fields>(*got) : refused(*got);
    }
    record(*got);
  }
}

Result<std::string> path_in_mount(const Place& place, const std::string& path) {
  std::string_view rest = path;
  if (rest.starts_with('/')) {
    if (!rest.starts_with(place.mountpoint + "/") && rest != place.mountpoint) {
      return fail(Errc::invalid, fmt::format("{} is not below {}", path, place.mountpoint));
    }
    rest.remove_prefix(std::min(place.mountpoint.size() + 1, rest.size()));
  }
  while (rest.starts_with("./")) {
    rest.remove_prefix(2);
  }
  return std::string(rest);
}

}  // namespace prefixfs::admin
