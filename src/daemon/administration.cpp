#include "administration.h"

#include <fmt/format.h>
#include <unistd.h>

namespace prefixfs::daemon {
namespace {

// A delivery that is given up ends at once; only one that S3 works on by itself takes longer.
constexpr std::chrono::seconds kDiscardTime{10};
// Well below what the command waits for an answer.
constexpr std::chrono::seconds kRestoreTime{20};

std::string_view word_of(config::Acknowledge who) { return who == config::Acknowledge::s3 ? "close" : "journal"; }

std::string mode_of(const config::Options& options) {
  return fmt::format("commit={}, unlink={}, outage={}", word_of(options.commit), word_of(options.unlink.value_or(options.commit)),
                     options.outage == config::Outage::queue ? "queue" : "error");
}

}  // namespace

Administration::Administration(const config::Options& options, const std::string& cache_dir, vfs::Filesystem& filesystem, const s3::Breaker& breaker,
                               Log& log)
    : options_(options),
      filesystem_(filesystem),
      breaker_(breaker),
      entry_{.mountpoint = admin::real_mountpoint(options.mountpoint), .cache_dir = cache_dir},
      directory_(config::mounts_dir(::geteuid() == 0, ProcessEnvironment())) {
  if (auto served = admin::Server::start(cache_dir, *this, log)) {
    server_ = std::move(*served);
  } else {
    log.warn("the commands (prefixfs status, ...) get no answer: {}", describe(served.error()));
  }
  const auto entered = directory_ ? admin::enter_mount(*directory_, entry_) : Result<void>(fail(directory_.error()));
  if (!entered) {
    log.warn("the commands find this mount only with -o cache_dir={}: {}", cache_dir, describe(entered.error()));
  }
}

Administration::~Administration() {
  server_.reset();
  if (directory_ && filesystem_.owed().empty()) {
    admin::remove_mount(*directory_, entry_);
  }
}

admin::MountState Administration::state() const {
  const auto why = breaker_.why();
  const auto outage = filesystem_.outage();
  return {.source = fmt::format("s3://{}/{}", options_.bucket, options_.prefix.str()),
          .mountpoint = options_.mountpoint,
          .version = PREFIXFS_VERSION,
          .pid = static_cast<std::uint64_t>(::getpid()),
          .mode = mode_of(options_),
          .read_only = options_.read_only,
          .list_refused = filesystem_.list_was_refused(),
          .escaped_names = filesystem_.escaped_names(),
          .local_bytes = filesystem_.statfs().local_bytes,
          .local_bytes_max = options_.stage_size_bytes + options_.cache_size_bytes,
          .ending = ending_,
          .breaker = why ? describe(*why) : std::string(),
          .breaker_since = breaker_.since(),
          .outage = outage ? describe(*outage) : std::string()};
}

std::vector<admin::OwedChange> Administration::owed() const {
  std::vector<admin::OwedChange> changes;
  for (const vfs::OwedIntent& intent : filesystem_.owed()) {
    changes.push_back({.id = intent.id,
                       .kind = admin::words_of(intent.kind),
                       .path = intent.path,
                       .bytes = intent.bytes,
                       .objects = intent.objects,
                       .copied = intent.copied,
                       .since = intent.since,
                       .attempts = intent.attempts,
                       .parked = intent.parked,
                       .last_error = intent.last_error ? describe(*intent.last_error) : std::string()});
  }
  return changes;
}

Result<void> Administration::discard(std::uint64_t id) {
  return filesystem_.discard(id, {.deadline = std::chrono::steady_clock::now() + kDiscardTime, .cancel = {}});
}

Result<admin::RestoreOutcome> Administration::restore(const admin::RestoreRequest& request) {
  using Kind = admin::RestoreOutcome::Kind;
  TRY_ASSIGN(const vfs::Filesystem::Restored restored, filesystem_.restore(request.path, {.days = request.days, .tier = request.tier},
                                                                         {.deadline = std::chrono::steady_clock::now() + kRestoreTime, .cancel = {}}));
  switch (restored.state) {
    case s3::RestoreState::started: return admin::RestoreOutcome{.kind = Kind::started};
    case s3::RestoreState::in_progress: return admin::RestoreOutcome{.kind = Kind::in_progress};
    case s3::RestoreState::restored: return admin::RestoreOutcome{.kind = Kind::restored, .until = restored.until};
    case s3::RestoreState::not_archived: return admin::RestoreOutcome{.kind = Kind::not_archived};
  }
  return fail(Errc::internal, "an answer that restore() does not give");
}

}  // namespace prefixfs::daemon
