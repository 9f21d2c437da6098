#pragma once
// The process that lives as long as the mount: it holds /dev/fuse, and starts the worker, which does all the work. When a worker dies, the
// next one goes on where it was, and programs notice a pause.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "prefixfs/fuse/mount.h"
#include "prefixfs/telemetry/log.h"
#include "restart_pause.h"
#include "upgrade.h"
#include "worker_program.h"

namespace prefixfs::daemon {

/// Of one thread; the worker's other side is worker.h.
class Supervisor {
 public:
  /// `ready` is called once, when the mount answers.
  Supervisor(fuse::MountOptions mount, WorkerProgram program, Log& log, std::function<void()> ready);

  /// From the first worker to the end of the mount; gives back the exit code.
  int run();

 private:
  /// What comes after a worker's end: an exit code, or (nothing) the next worker.
  using Next = std::optional<int>;

  void block_signals();
  Next start_worker();
  /// Until the worker has ended; its status as of waitpid(2).
  int attend();
  void attend_until(std::chrono::steady_clock::time_point end, const std::function<bool()>& done);
  void on_signal();
  bool on_message();
  void on_upgrade();
  void keep_listening();
  Result<void> give_mount();
  void note_serving();
  void settle_upgrade(const std::string& problem);

  Next after(int status);
  Next after_death(const std::string& how, bool served);
  Next pause(std::chrono::milliseconds pause);
  int finish(int code);
  void drop_mount();
  void remove_dead_mount();
  bool was_mounted() const { return device_ || !device_name_.empty(); }

  const fuse::MountOptions mount_;
  WorkerProgram program_;
  Log& log_;
  std::function<void()> ready_;
  RestartPause pauses_;

  sigset_t mask_before_{};
  UniqueFd signals_;
  UniqueFd device_;          ///< none: not mounted, or dead
  std::string device_name_;  ///< of the mount, also of a dead one; empty: there is none
  UniqueFd ledger_;
  UniqueFd upgrades_;  ///< where they are asked for
  UniqueFd asker_;     ///< of the upgrade that is under way
  fuse::SavedInit init_;
  unsigned generation_ = 0;
  pid_t worker_ = 0;  ///< 0: there is none
  UniqueFd socket_;
  std::chrono::steady_clock::time_point started_{};
  bool served_ = false;    ///< the present worker has
  bool answered_ = false;  ///< some worker has
  bool ending_ = false;    ///< a signal said so
  bool upgrading_ = false;
  bool told_of_address_ = false;  ///< that another one has it
};

}  // namespace prefixfs::daemon
