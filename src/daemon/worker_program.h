#pragma once
// The program that workers are started from, which may be replaced while the mount lives.

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "handover.h"

namespace prefixfs::daemon {

/// Held open, so that replacing or deleting the file does not change what a crash is followed by.
class WorkerProgram {
 public:
  /// The program of this process, to be started with the same arguments. Paths among them are relative to `directory`.
  WorkerProgram(std::vector<std::string> arguments, std::string directory);

  /// What is installed now where this process was started from. Errors: not_found, denied.
  Result<void> renew();
  /// Back to the one before renew().
  void go_back();

  struct Started {
    pid_t pid = 0;
    UniqueFd socket;
  };
  /// The worker has `signals` as its mask. Errors: io.
  Result<Started> start(unsigned generation, const sigset_t& signals) const;

 private:
  [[noreturn]] void become_worker(const WorkerPlace& place, const sigset_t& signals, pid_t supervisor) const;

  std::vector<std::string> arguments_;
  std::string directory_;
  std::string path_;
  UniqueFd program_;
  UniqueFd before_;
  int oom_score_ = 0;
};

}  // namespace prefixfs::daemon
