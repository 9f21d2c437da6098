#include "worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace prefixfs::daemon {
namespace {

/// A variable that somebody has left in the environment names no socket of the parent's.
bool is_from_parent(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == ::getppid();
}

}  // namespace

std::optional<Worker> Worker::find() {
  const char* const text = std::getenv(kWorkerVariable);
  const auto place = text != nullptr ? WorkerPlace::decode(text) : std::nullopt;
  ::unsetenv(kWorkerVariable);
  if (!place || !is_from_parent(place->socket)) {
    return std::nullopt;
  }
  ::fcntl(place->socket, F_SETFD, FD_CLOEXEC);
  return Worker(*place, UniqueFd(place->socket));
}

Result<fuse::Connection> Worker::ask_for_mount() {
  TRY(send_message(socket_, Word::mount));
  TRY_ASSIGN(Message answer, receive_message(socket_));
  if (answer.word != Word::connection || answer.descriptors.size() != 2) {
    return fail(Errc::denied, answer.text());
  }
  return fuse::Connection{.device = std::move(answer.descriptors[0]),
                          .ledger = std::move(answer.descriptors[1]),
                          .generation = place_.generation,
                          .init = std::move(answer.body)};
}

// A supervisor that is gone hears nothing; the signal that comes with its end does the rest.
void Worker::save_init(const fuse::SavedInit& init) { [[maybe_unused]] const auto sent = send_message(socket_, Word::init, init); }
void Worker::say_serving() { [[maybe_unused]] const auto sent = send_message(socket_, Word::serving); }
void Worker::say_writing(std::string_view problem) {
  [[maybe_unused]] const auto sent = send_message(socket_, Word::writing, std::as_bytes(std::span(problem)));
}

bool Worker::is_alone() const {
  pollfd look{.fd = socket_.get(), .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

}  // namespace prefixfs::daemon
