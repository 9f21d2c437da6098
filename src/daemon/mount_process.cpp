#include "mount_process.h"

#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "background.h"
#include "connector.h"
#include "prefixfs/fuse/session.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/sync/file_upload.h"
#include "prefixfs/vfs/filesystem.h"
#include "store_stack.h"

namespace prefixfs::daemon {
namespace {

constexpr std::size_t kUploadThreads = 16;
constexpr std::size_t kFetchThreads = 16;

int tell(const Error& error) {
  std::fprintf(stderr, "prefixfs: %s\n", describe(error).c_str());
  return kExitMount;
}

void set_process_limits() {
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
          .list_known_names = options.unlisted == config::Unlisted::known,
          .read_only = options.read_only,
          .dialect = dialect_of(options.posix_metadata),
          .uid = options.uid.value_or(::getuid()),
          .gid = options.gid.value_or(::getgid()),
          .file_mode = 0666 & ~options.umask,
          .directory_mode = 0777 & ~options.umask,
          .max_file_bytes = options.max_file_size_bytes,
          .key_bytes_max = kKeyBytesMax - options.prefix.str().size(),
          .cache_bytes_max = options.cache_size_bytes};
}

/// As fstab has it, so that mount and umount recognise the line.
std::string shown_source(const config::Options& options) {
  std::string source = "s3://" + options.bucket + "/" + options.prefix.str();
  source.pop_back();
  return source;
}

fuse::MountOptions mount_options_of(const config::Options& options) {
  return {.source = shown_source(options),
          .mountpoint = options.mountpoint,
          .allow_other = options.allow_other,
          .read_only = options.read_only,
          .generic = options.fuse_options};
}

std::unique_ptr<Log> make_log_for(const config::Options& options) {
  const LogLevel level = parse_log_level(options.log_level).value_or(LogLevel::info);
  if (!options.log_file.empty()) {
    return make_log(LogTarget::file, level, options.log_file);
  }
  return make_log(options.foreground ? LogTarget::stderr_stream : LogTarget::syslog, level);
}

/// Turns SIGTERM, SIGINT and SIGHUP into the end of the mount. The signals are blocked in every thread that is started later.
class SignalWatch {
 public:
  SignalWatch() {
    ::sigemptyset(&watched_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, kEndSignal}) {
      ::sigaddset(&watched_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }

  void start(std::function<void(int)> on_signal) {
    thread_ = std::jthread([this, on_signal = std::move(on_signal)] {
      int number = 0;
      while (::sigwait(&watched_, &number) == 0 && number != kEndSignal) {
        on_signal(number);
      }
    });
  }

  ~SignalWatch() { stop(); }

  /// Afterwards nothing is called any more.
  void stop() {
    if (thread_.joinable()) {
      ::pthread_kill(thread_.native_handle(), kEndSignal);
      thread_.join();
    }
  }

 private:
  static constexpr int kEndSignal = SIGUSR2;
  sigset_t watched_{};
  std::jthread thread_;
};

/// All that lives as long as the mount, in the order of its dependencies.
struct MountParts {
  SystemClock clock;
  std::unique_ptr<Log> log;
  std::unique_ptr<vfs::Processes> processes;
  std::unique_ptr<stage::StageDirectory> stage;
  meta::MetaStore meta;
  std::unique_ptr<StoreStack> stack;
  std::unique_ptr<WorkerPool> uploaders;
  std::unique_ptr<WorkerPool> fetchers;
  std::unique_ptr<sync::Uploader> uploader;
  std::unique_ptr<vfs::Filesystem> filesystem;
};

/// A cache directory below the mount would wait for itself.
Result<void> check_outside(const std::string& cache_dir, const std::string& mountpoint) {
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(cache_dir, error).string() + "/";
  const std::string mount = std::filesystem::weakly_canonical(mountpoint, error).string() + "/";
  return real.starts_with(mount) ? fail(Errc::invalid, fmt::format("cache_dir={} is below the mountpoint {}; choose another", cache_dir, mountpoint))
                                 : Result<void>();
}

Result<void> build(MountParts& parts, const config::Options& options) {
  std::string cache_dir = options.cache_dir;
  if (cache_dir.empty()) {
    TRY_ASSIGN(cache_dir, config::default_cache_dir(options, ::geteuid() == 0, ProcessEnvironment()));
  }
  TRY(check_outside(cache_dir, options.mountpoint));
  TRY_ASSIGN(parts.stage, stage::StageDirectory::open(cache_dir, options.stage_size_bytes + options.cache_size_bytes));
  TRY_ASSIGN(parts.meta, meta::open_meta({.directory = cache_dir, .source = source_name(options)}, parts.clock));
  TRY_ASSIGN(parts.stack, StoreStack::make(options, *parts.meta.facts, parts.clock, *parts.log));
  parts.uploaders = std::make_unique<WorkerPool>("upload", kUploadThreads);
  parts.processes = fuse::make_processes(options.mountpoint);
  parts.fetchers = std::make_unique<WorkerPool>("fetch", kFetchThreads);
  sync::UploaderOptions upload;
  upload.limits.part_bytes = options.part_size_bytes;
  parts.uploader = std::make_unique<sync::Uploader>(parts.stack->store(), *parts.uploaders, upload, parts.clock, *parts.log);
  parts.filesystem = std::make_unique<vfs::Filesystem>(
      settings_of(options), vfs::Surroundings{parts.stack->store(), *parts.meta.nodes, *parts.stage, *parts.uploader, *parts.fetchers,
                                              *parts.processes, parts.clock, *parts.log});
  return {};
}

}  // namespace

int run_mount(const config::Options& options, std::function<void()> ready) {
  set_process_limits();
  SignalWatch signals;
  MountParts parts;
  parts.log = make_log_for(options);
  if (const auto usable = fuse::check_mountpoint(options.mountpoint); !usable) {
    return tell(usable.error());
  }
  if (const auto built = build(parts, options); !built) {
    return tell(built.error());
  }
  Log& log = *parts.log;
  if (options.check) {
    const CallContext context{parts.clock.steady() + options.outage_timeout, {}};
    if (auto connected = parts.filesystem->probe(context); !connected) {
      if (connected.error().code == Errc::unavailable && connected.error().origin.http_status == 0) {
        connected.error().what += "; is the endpoint right, and can this host reach it?";
      }
      return tell(connected.error());
    }
  }
  auto session = fuse::mount(mount_options_of(options), *parts.filesystem, log);
  if (!session) {
    return tell(session.error());
  }
  log.info("s3://{}/{} is mounted on {} (prefixfs {}, pid {})", options.bucket, options.prefix.str(), options.mountpoint, PREFIXFS_VERSION,
           ::getpid());
  signals.start([&](int number) {
    log.info("signal {} ends the mount on {}", number, options.mountpoint);
    (*session)->stop();
  });
  // Without `check` the mount is there at once, and S3 is asked for until it answers.
  const std::unique_ptr<Connector> connector =
      options.check ? nullptr : std::make_unique<Connector>(*parts.filesystem, parts.clock, log);
  const auto served = (*session)->serve(std::move(ready));
  parts.stage->say_ending();
  parts.filesystem->flush_all({});  // each call has its own end
  signals.stop();  // it would end a session that is gone
  session->reset();
  log.info("{} is unmounted", options.mountpoint);
  if (!served) {
    log.error("{}", describe(served.error()));
    return kExitSystem;
  }
  return kExitSuccess;
}

}  // namespace prefixfs::daemon
