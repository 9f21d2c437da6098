#pragma once
// What the commands find of a running mount: its entry among the mounts of this user, and answers.

#include <atomic>
#include <memory>
#include <optional>

#include "prefixfs/admin/mount_entry.h"
#include "prefixfs/admin/server.h"
#include "prefixfs/config/options.h"
#include "prefixfs/s3/breaker.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::daemon {

/// Lives as long as the mount, and until what is owed at its end has been sent. A mount works without it too: what fails is a log line.
class Administration final : private admin::Subject {
 public:
  Administration(const config::Options& options, const std::string& cache_dir, vfs::Filesystem& filesystem, const s3::Breaker& breaker, Log& log);
  /// The entry goes, unless something is owed: then the commands still find it.
  ~Administration() override;
  /// The mount is gone.
  void say_ending() { ending_ = true; }

 private:
  admin::MountState state() const override;
  std::vector<admin::OwedChange> owed() const override;
  void retry(std::uint64_t id) override { filesystem_.retry(id); }
  Result<void> discard(std::uint64_t id) override;
  Result<admin::RestoreOutcome> restore(const admin::RestoreRequest& request) override;

  const config::Options& options_;
  vfs::Filesystem& filesystem_;
  const s3::Breaker& breaker_;
  const admin::MountEntry entry_;
  const Result<std::string> directory_;  ///< of the entries
  std::atomic<bool> ending_{false};
  std::unique_ptr<admin::Server> server_;  // last: its thread uses all of the above
};

}  // namespace prefixfs::daemon
