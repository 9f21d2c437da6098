#pragma once
// What this host holds, noted in its cache directory: for the next worker of the mount, or to clean up after a mount that was killed. Not synced: a
// note outlives a killed process, and after a new start of the machine nothing in it holds any more.

#include <string>
#include <vector>

#include "lease_table.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/object/key.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::locks {

struct LeaseNote {
  Key file;
  HostEntry held;                      ///< as S3 has it, as far as it has answered
  std::vector<std::uint64_t> inodes;   ///< through which it was locked
  SteadyTime renewed{};                ///< of this boot
};

/// Thread-safe for notes of different files. An empty directory name: nothing is noted.
class LeaseNotes {
 public:
  LeaseNotes(std::string directory, Log& log);

  void write(const LeaseNote& note);
  void remove(const Key& file);
  /// What cannot be read is left out, and removed.
  std::vector<LeaseNote> all();

 private:
  std::string path_of(const Key& file) const;

  const std::string directory_;
  Log& log_;
};

}  // namespace prefixfs::locks
