#include "mount_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <thread>

#include "administration.h"
#include "background.h"
#include "connector.h"
#include "mount_setup.h"
#include "prefixfs/fuse/session.h"
#include "prefixfs/locks/locks.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/sync/file_upload.h"
#include "prefixfs/sync/journalled_uploads.h"
#include "prefixfs/vfs/filesystem.h"
#include "signal_watch.h"
#include "store_stack.h"

namespace prefixfs::daemon {
namespace {

constexpr std::size_t kUploadThreads = 16;
constexpr std::size_t kFetchThreads = 16;
constexpr std::chrono::milliseconds kRemovalLinger{100};
constexpr std::chrono::milliseconds kTemporaryLinger{1000};

/// To who mounts; of a later worker nobody sees the standard streams.
int tell(const Error& error, const Worker& worker, Log& log) {
  if (worker.is_first()) {
    std::fprintf(stderr, "prefixfs: %s\n", describe(error).c_str());
  } else {
    log.error("{}", describe(error));
  }
  return kExitMount;
}

void set_process_limits() {
  ::prctl(PR_SET_NAME, "prefixfs-worker");
  // Keys and session tokens are in memory: no core file, and no other process of this user may look.
  ::prctl(PR_SET_DUMPABLE, 0);
  // Each open or cached file has a descriptor.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  // glibc would keep up to 8 heaps per core, each as large as its largest moment.
  ::mallopt(M_ARENA_MAX, 4);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

/// Most of the descriptors are for files that programs have open, and for connections.
std::size_t cached_files_max() {
  const std::size_t wanted = vfs::Settings{}.cached_files_max;
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? static_cast<std::size_t>(std::min<rlim_t>(wanted, files.rlim_cur / 4)) : wanted;
}

vfs::MetadataDialect dialect_of(config::PosixMetadata choice) {
  switch (choice) {
    case config::PosixMetadata::aws: return vfs::MetadataDialect::aws;
    case config::PosixMetadata::s3fs: return vfs::MetadataDialect::s3fs;
    case config::PosixMetadata::off: return vfs::MetadataDialect::off;
  }
  return vfs::MetadataDialect::aws;
}

vfs::Settings settings_of(const config::Options& options) {
  return {.freshness = options.freshness,
          .immutable = options.coherence == config::Coherence::immutable,
          .exclusive_at_open = options.excl_at_open,
          .list_known_names = options.unlisted == config::Unlisted::known,
          .list_exactly = options.attrs == config::Attrs::exact,
          .read_only = options.read_only,
          .journal_commits = options.commit == config::Acknowledge::journal,
          .journal_removals = options.unlink.value_or(options.commit) == config::Acknowledge::journal,
          .queue_in_outage = options.outage == config::Outage::queue,
          .keep_acls = options.keep_acls,
          .dialect = dialect_of(options.posix_metadata),
          .removal_linger = kRemovalLinger,
          .temporary_linger = kTemporaryLinger,
          .uid = options.uid.value_or(::getuid()),
          .gid = options.gid.value_or(::getgid()),
          .file_mode = 0666 & ~options.umask,
          .directory_mode = 0777 & ~options.umask,
          .max_file_bytes = options.max_file_size_bytes,
          .shown_bytes = options.size_bytes,
          .key_bytes_max = kKeyBytesMax - options.prefix.str().size(),
          .cache_bytes_max = options.cache_size_bytes,
          .cached_files_max = cached_files_max()};
}

/// All that lives as long as the mount, in the order of its dependencies.
struct MountParts {
  std::string cache_dir;
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<Log> log;
  std::unique_ptr<vfs::Processes> processes;
  std::unique_ptr<stage::StageDirectory> stage;
  meta::MetaStore meta;
  std::unique_ptr<StoreStack> stack;
  std::unique_ptr<s3::ObjectStore> store;
  std::unique_ptr<WorkerPool> uploaders;
  std::unique_ptr<WorkerPool> fetchers;
  std::unique_ptr<sync::Uploader> uploader;
  std::unique_ptr<locks::Locks> locks;  // with locks=s3
  std::unique_ptr<vfs::Filesystem> filesystem;
};

/// A cache directory below the mount would wait for itself. Asked before the mount is there.
Result<void> check_outside(const std::string& cache_dir, const std::string& mountpoint) {
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(cache_dir, error).string() + "/";
  const std::string mount = std::filesystem::weakly_canonical(mountpoint, error).string() + "/";
  return real.starts_with(mount) ? fail(Errc::invalid, fmt::format("cache_dir={} is below the mountpoint {}; choose another", cache_dir, mountpoint))
                                 : Result<void>();
}

/// Tells whether a killed process or a new start of the machine has ended the former one.
std::string boot_id() {
  std::string id = SystemFileReader().read("/proc/sys/kernel/random/boot_id").value_or("");
  std::erase(id, '\n');
  return id;
}

Result<void> build(MountParts& parts, const config::Options& options, const Worker& worker) {
  std::string& cache_dir = parts.cache_dir = options.cache_dir;
  if (cache_dir.empty()) {
    TRY_ASSIGN(cache_dir, config::default_cache_dir(options, ::geteuid() == 0, ProcessEnvironment()));
  }
  if (worker.is_first()) {
    TRY(check_outside(cache_dir, options.mountpoint));
  }
  TRY_ASSIGN(parts.stage, stage::StageDirectory::open(cache_dir, options.stage_size_bytes + options.cache_size_bytes, boot_id()));
  TRY_ASSIGN(parts.meta, meta::open_meta({.directory = cache_dir, .source = source_name(options)}, parts.clock));
  TRY_ASSIGN(parts.stack, StoreStack::make(options, *parts.meta.facts, parts.clock, *parts.log));
  parts.uploaders = std::make_unique<WorkerPool>("upload", kUploadThreads);
  parts.processes = fuse::make_processes(options.mountpoint);
  parts.fetchers = std::make_unique<WorkerPool>("fetch", kFetchThreads);
  sync::UploaderOptions upload;
  upload.limits.part_bytes = options.part_size_bytes;
  parts.store = sync::make_journalled_uploads(parts.stack->store(), *parts.meta.journal, parts.clock, *parts.log);
  parts.uploader = std::make_unique<sync::Uploader>(*parts.store, *parts.uploaders, upload, parts.clock, *parts.log);
  if (options.locks == config::LockScope::s3) {
    const locks::Options lease{.lease = options.lock_lease, .notes_directory = cache_dir + "/locks"};
    parts.locks = std::make_unique<locks::Locks>(lease, *parts.store, parts.clock, parts.random, *parts.log);
  }
  parts.filesystem = std::make_unique<vfs::Filesystem>(
      settings_of(options), vfs::Surroundings{*parts.store, parts.stack->probed(), parts.stack->breaker(), *parts.meta.nodes,
                                              *parts.meta.journal, *parts.stage, *parts.uploader, *parts.fetchers,
                                               *parts.processes, parts.clock, parts.random, *parts.log, parts.locks.get()});
  return parts.filesystem->recover();
}

/// Asks S3, as somebody waits for the answer.
Result<void> check(MountParts& parts, const config::Options& options) {
  const CallContext context{parts.clock.steady() + options.outage_timeout, {}};
  auto connected = parts.filesystem->probe(context);
  if (!connected && connected.error().code == Errc::unavailable && connected.error().origin.http_status == 0) {
    connected.error().what += "; is the endpoint right, and can this host reach it?";
  }
  return connected;
}

/// Serves until the mount ends or another program is to go on.
class Service {
 public:
  Service(const config::Options& options, Worker& worker, MountParts& parts, SignalWatch& signals, Administration& administration)
      : options_(options), worker_(worker), parts_(parts), log_(*parts.log), signals_(signals), administration_(administration) {}

  int run(fuse::Connection connection) {
    takes_over_ = !connection.init.empty();
    if (parts_.locks != nullptr) {
      parts_.locks->begin(takes_over_);
      renewal_ = std::make_unique<locks::Renewal>(*parts_.locks, parts_.clock);
    }
    UniqueFd device(::fcntl(connection.device.get(), F_DUPFD_CLOEXEC, 0));
    auto session = fuse::attach(std::move(connection), *parts_.filesystem, log_);
    if (!session) {
      return failed(session.error());
    }
    signals_.start([&](int number) { on_signal(**session, number); });
    const auto served = (*session)->serve({.save_init = [this](const fuse::SavedInit& init) { worker_.save_init(init); },
                                           .ready = [this] { on_ready(); }});
    ended_ = true;
    join_upgrade();
    if (upgrading_ || (!served && served.error().code == Errc::unsupported)) {
      signals_.stop();  // it would end a session that is gone
      return upgrading_ ? int{kExitUpgrade} : failed(served.error());
    }
    parts_.stage->say_ending();
    administration_.say_ending();
    parts_.filesystem->flush_all({});  // each call has its own end
    drain();
    if (parts_.locks != nullptr) {
      parts_.locks->release_all({});
    }
    signals_.stop();
    session->reset();
    if (worker_.is_alone()) {
      log_.error("the supervisor is gone");
      fuse::close_mount(options_.mountpoint, std::move(device));
    }
    log_.info("the mount on {} has ended", options_.mountpoint);
    return served ? kExitSuccess : failed(served.error());
  }

 private:
  static constexpr std::chrono::seconds kUpgradeLimit{30};

  int failed(const Error& error) {
    log_.error("{}", describe(error));
    return error.code == Errc::unsupported ? int{kExitNewMount} : int{kExitSystem};
  }

  void on_ready() {
    log_.info("s3://{}/{} is mounted on {} (prefixfs {}, pid {}{})", options_.bucket, options_.prefix.str(), options_.mountpoint, PREFIXFS_VERSION,
              ::getpid(), takes_over_ ? ", taken over" : "");
    if (!options_.foreground) {
      detach_standard_streams();
    }
    worker_.say_serving();
  }

  void on_signal(fuse::Session& session, int number) {
    if (number == kUpgradeSignal) {
      // Beside the signals: it may take its time, and an end of the mount does not wait for that.
      const std::lock_guard lock(upgrade_mutex_);
      if (!ended_) {
        upgrade_ = std::jthread([this, &session] { upgrade(session); });
      }
      return;
    }
    if (ended_) {
      log_.info("signal {}: what is owed to S3 waits for the next mount", number);
      giving_up_.request_stop();
      return;
    }
    log_.info("signal {} ends the mount on {}", number, options_.mountpoint);
    session.stop();
  }

  /// As long as S3 takes it.
  void drain() {
    const auto drained = parts_.filesystem->drain(false, {SteadyTime::max(), giving_up_.get_token()});
    if (!drained) {
      log_.warn("{} changes are not in S3 yet; the next mount with this cache directory delivers them: {}", parts_.filesystem->owed().size(),
                describe(drained.error()));
    }
  }

  void upgrade(fuse::Session& session) {
    log_.info("another program is to go on: waiting for the end of what is being written");
    upgrading_ = session.stop_for_upgrade(kUpgradeLimit);
    if (!upgrading_) {
      worker_.say_writing(fmt::format("files have been open and not stored for {} s", kUpgradeLimit.count()));
    }
  }

  /// It may have ended the session before it is known here that there is one.
  void join_upgrade() {
    std::jthread asked;
    const std::lock_guard lock(upgrade_mutex_);
    asked.swap(upgrade_);
  }

  const config::Options& options_;
  Worker& worker_;
  MountParts& parts_;
  Log& log_;
  SignalWatch& signals_;
  Administration& administration_;
  bool takes_over_ = false;
  std::atomic<bool> ended_{false};
  std::stop_source giving_up_;
  bool upgrading_ = false;  // read once its thread has ended
  std::mutex upgrade_mutex_;
  std::jthread upgrade_;
  std::unique_ptr<locks::Renewal> renewal_;
};

}  // namespace

int run_mount(const config::Options& options, Worker& worker) {
  set_process_limits();
  SignalWatch signals;
  MountParts parts;
  parts.log = make_log_for(options);
  if (const auto built = build(parts, options, worker); !built) {
    return tell(built.error(), worker, *parts.log);
  }
  if (options.check && worker.is_first()) {
    if (const auto connected = check(parts, options); !connected) {
      return tell(connected.error(), worker, *parts.log);
    }
  }
  auto connection = worker.ask_for_mount();
  if (!connection) {
    return tell(connection.error(), worker, *parts.log);
  }
  // Without `check` the mount is there at once, and S3 is asked until it answers; and again whenever it does not.
  const auto connector =
      std::make_unique<Connector>(*parts.filesystem, parts.stack->breaker(), options.check && worker.is_first(), parts.clock, *parts.log);
  Administration administration(options, parts.cache_dir, *parts.filesystem, parts.stack->breaker(), *parts.log);
  return Service(options, worker, parts, signals, administration).run(std::move(*connection));
}

}  // namespace prefixfs::daemon
