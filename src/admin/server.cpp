#include "prefixfs/admin/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include "answers.h"
#include "channel.h"

namespace prefixfs::admin {
namespace {

// A request comes in one piece; who takes longer holds up the next one.
constexpr std::chrono::seconds kRequestTime{2};
constexpr int kWaitingMax = 16;
// Out of descriptors: not at once again.
constexpr int kPauseMs = 100;

std::unexpected<Error> failed(std::string_view action, const std::string& directory, int error_number) {
  const Errc code = error_number == EACCES || error_number == EPERM ? Errc::denied : Errc::io;
  return fail(code, fmt::format("cannot {} {}/{}: {}", action, directory, kSocketName, std::generic_category().message(error_number)));
}

Result<UniqueFd> listen_in(const std::string& directory, const SocketAddress& address) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return failed("make", directory, errno);
  }
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = address.path();
  std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
  ::unlink(path.c_str());
  // The mode counts from the first moment on: the umask belongs to the whole process.
  ::fchmod(socket.get(), 0600);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return failed("bind", directory, errno);
  }
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), kWaitingMax) != 0) {
    return failed("listen on", directory, errno);
  }
  return socket;
}

class ThreadedServer final : public Server {
 public:
  ThreadedServer(SocketAddress address, UniqueFd listener, UniqueFd end, Subject& subject, Log& log)
      : address_(std::move(address)), listener_(std::move(listener)), end_(std::move(end)), subject_(subject), log_(log), thread_([this] { run(); }) {}

  ~ThreadedServer() override {
    const std::uint64_t one = 1;
    if (::write(end_.get(), &one, sizeof one) != sizeof one) {
      // Cannot be: the counter of an eventfd is not full.
    }
    thread_.join();
    ::unlink(address_.path().c_str());
  }

 private:
  void run() {
    ::pthread_setname_np(::pthread_self(), "admin");
    for (;;) {
      pollfd wanted[] = {{.fd = end_.get(), .events = POLLIN, .revents = 0}, {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
      ::poll(wanted, 2, -1);
      if (wanted[0].revents != 0) {
        return;
      }
      UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket) {
        serve(Channel(std::move(socket)));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        ::poll(wanted, 1, kPauseMs);
      }
    }
  }

  void serve(Channel channel) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(channel.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != 0 && peer.uid != ::geteuid())) {
      log_.warn("control.sock: user {} (pid {}) is neither root nor the owner of this mount", peer.uid, peer.pid);
      tell(channel, Error{Errc::denied, "only root and the user who mounts may ask", {}});
      return;
    }
    try {
      const auto request = channel.receive(std::chrono::steady_clock::now() + kRequestTime);
      if (!request) {
        log_.debug("control.sock: {}", describe(request.error()));
        tell(channel, request.error());
      } else if (*request) {
        if (const auto answered = answer(**request, subject_, channel); !answered) {
          log_.debug("control.sock: {}", describe(answered.error()));
        }
      }
    } catch (const std::exception& exception) {  // one bug must not take the mount away
      log_.error("control.sock: a bug: {}", exception.what());
    }
  }

  static void tell(Channel& channel, const Error& error) {
    // Where the other end is gone, nobody is to be told.
    [[maybe_unused]] const auto told = channel.send(refusal(error));
  }

  SocketAddress address_;
  UniqueFd listener_;
  UniqueFd end_;
  Subject& subject_;
  Log& log_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const std::string& cache_dir, Subject& subject, Log& log) {
  TRY_ASSIGN(SocketAddress address, SocketAddress::in(cache_dir));
  TRY_ASSIGN(UniqueFd listener, listen_in(cache_dir, address));
  UniqueFd end(::eventfd(0, EFD_CLOEXEC));
  if (!end) {
    return failed("watch", cache_dir, errno);
  }
  return std::unique_ptr<Server>(new ThreadedServer(std::move(address), std::move(listener), std::move(end), subject, log));
}

}  // namespace prefixfs::admin
