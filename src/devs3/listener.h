#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::devs3 {

/// Accepts connections on a TCP port and gives each its own thread: a test endpoint sees at most a few hundred, and straight-line code
/// is what faults in the middle of an answer are easiest to make in.
class Listener {
 public:
  using Serve = std::function<void(int socket)>;

  /// Port 0 chooses a free one. Errors: invalid (the address), io.
  static Result<std::unique_ptr<Listener>> open(const std::string& address, std::uint16_t port);
  ~Listener();

  std::uint16_t port() const { return port_; }
  /// Accepts until stop(); each connection is served by `serve` on its own thread, and closed afterwards.
  void run(const Serve& serve);
  /// Ends run() and every connection. Thread-safe.
  void stop();

 private:
  struct Client {
    UniqueFd socket;
    bool done = false;
    std::jthread thread;
  };

  Listener(UniqueFd socket, UniqueFd wake, std::uint16_t port)
      : socket_(std::move(socket)), wake_(std::move(wake)), port_(port) {}
  void start_client(UniqueFd socket, const Serve& serve);
  void forget_finished();

  UniqueFd socket_;
  UniqueFd wake_;  ///< an eventfd; readable once stop() was called
  std::uint16_t port_;
  std::mutex mutex_;  ///< guards clients_
  std::list<Client> clients_;
};

}  // namespace prefixfs::devs3
