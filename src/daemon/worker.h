#pragma once
// The worker's side of its supervisor.

#include <csignal>
#include <optional>

#include "handover.h"
#include "prefixfs/fuse/session.h"

namespace prefixfs::daemon {

/// Codes by which a worker tells its supervisor what is to follow; nobody else sees them.
enum WorkerExitCode : int { kExitUpgrade = 75, kExitNewMount = 76 };
/// The supervisor asks for the end of the worker, and not of the mount.
inline constexpr int kUpgradeSignal = SIGUSR2;

class Worker {
 public:
  /// Whether this process was started by a supervisor.
  static std::optional<Worker> find();

  bool is_first() const { return place_.generation == 1; }
  const std::string& directory() const { return place_.directory; }

  /// Errors: denied (there is no mount; the sentence says why), io (the supervisor is gone).
  Result<fuse::Connection> ask_for_mount();
  void save_init(const fuse::SavedInit& init);
  void say_serving();
  void say_writing(std::string_view problem);
  /// Whether nobody else will unmount.
  bool is_alone() const;

 private:
  Worker(WorkerPlace place, UniqueFd socket) : place_(std::move(place)), socket_(std::move(socket)) {}

  WorkerPlace place_;
  UniqueFd socket_;
};

}  // namespace prefixfs::daemon
