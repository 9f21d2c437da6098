#include "prefixfs/fuse/session.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <utility>

#include "device.h"
#include "request.h"

namespace prefixfs::fuse {
namespace {

constexpr unsigned kThreadsMax = 64;
// Threads beyond this number end when they have nothing to do; each holds a buffer of a quarter MiB.
constexpr unsigned kIdleThreadsMax = 16;
// While an upgrade waits for the end of what is being written, these are left for those who write it.
constexpr unsigned kThreadsForWriters = 8;
// Each takes a thread, which sleeps.
constexpr unsigned kLockWaitersMax = 256;
// Only interrupts the thread that serves; it has no other use in this program.
constexpr int kWakeSignal = SIGUSR1;

/// Each generation numbers its handles in a range of its own.
vfs::HandleId first_handle(unsigned generation) { return vfs::HandleId{generation} << 40 | 1; }

class LibfuseSession final : public Session {
 public:
  LibfuseSession(Connection connection, Ledger ledger, vfs::Filesystem& filesystem, Log& log)
      : connection_(std::move(connection)),
        ledger_(std::move(ledger)),
        in_flight_(ledger_->in_flight),
        handles_(ledger_->handles, ledger_->handles_used, [&filesystem](vfs::InodeId inode) { return filesystem.open_state(inode); }),
        gate_(kThreadsMax - kThreadsForWriters),
        device_(in_flight_, log),
        waiters_(kLockWaitersMax),
        server_{filesystem, log, handles_, gate_, device_, waiters_} {}

  ~LibfuseSession() override {
    server_.filesystem.on_settled(nullptr);
    if (session_ != nullptr) {
      fuse_session_destroy(session_);  // with the descriptor
    }
  }

  Result<void> attach() {
    const char* arguments[] = {"prefixfs", nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, const_cast<char**>(arguments));
    const fuse_lowlevel_ops table = callbacks(server_.filesystem.shares_locks());
    session_ = fuse_session_new(&args, &table, sizeof table, &server_);
    fuse_custom_io io{};
    io.read = [](int fd, void* buffer, std::size_t size, void* server) { return device_of(server).read(fd, buffer, size); };
    io.writev = [](int fd, iovec* parts, int count, void* server) { return device_of(server).write(fd, parts, count); };
    if (session_ == nullptr || fuse_session_custom_io(session_, &io, connection_.device.get()) != 0) {
      return fail(Errc::io, "libfuse cannot serve the mount");
    }
    descriptor_ = connection_.device.release();
    server_.filesystem.number_handles_from(first_handle(connection_.generation));
    server_.filesystem.on_settled([this](vfs::InodeId inode) { handles_.changed(inode); });
    return {};
  }

  Result<void> serve(const Events& events) override {
    struct sigaction wake {};
    wake.sa_handler = [](int) {};
    ::sigaction(kWakeSignal, &wake, nullptr);
    if (connection_.init.empty()) {
      server_.filesystem.end_reopening();  // nothing was open
      device_.on_first_exchange(events.save_init, events.ready);
    } else {
      TRY(take_over());
      events.ready();
    }
    auto served = loop();
    waiters_.end();
    in_flight_.let_go();
    return served;
  }

  void stop() override {
    stopped_ = true;
    gate_.send_away();
    fuse_session_exit(session_);
    if (serving_) {
      ::pthread_kill(serving_thread_, kWakeSignal);
    }
  }

  bool stop_for_upgrade(std::chrono::milliseconds limit) override {
    if (!gate_.close([this] { return !handles_.any_unstored(); }, limit)) {
      return false;
    }
    stop();
    return true;
  }

 private:
  static Device& device_of(void* server) { return static_cast<Server*>(server)->device; }

  /// As if this process had been there from the beginning; then the kernel sends again what the one before has not answered.
  Result<void> take_over() {
    TRY_ASSIGN(const InitExchange exchange, InitExchange::decode(connection_.init));
    if (!exchange.kernel_resends()) {
      return fail(Errc::unsupported, "the kernel does not send again what was not answered (that needs 6.9)");
    }
    std::vector<std::byte> request = exchange.request_for_replay();
    fuse_buf buffer{};
    buffer.mem = request.data();
    buffer.size = request.size();
    device_.swallow_answer();
    fuse_session_process_buf(session_, &buffer);
    in_flight_.count_deaths();
    reopen();
    return Device::ask_to_resend(descriptor_);
  }

  void reopen() {
    handles_.forget_unanswered([this](std::uint64_t request) { return in_flight_.holds(request); });
    for (const auto& [handle, inode] : handles_.directories()) {
      server_.filesystem.reopen_directory(handle, inode);
    }
    for (const vfs::OpenBefore& before : handles_.files()) {
      const auto reopened = server_.filesystem.reopen(before);
      if (reopened) {
        handles_.changed(before.inode);
        continue;
      }
      handles_.died(before.handle);
      if (!before.dead) {  // else it was told before
        server_.log.error("a file that is open cannot be used any more: {}", describe(reopened.error()));
      }
    }
    server_.filesystem.end_reopening();
  }

  Result<void> loop() {
    serving_thread_ = ::pthread_self();
    serving_ = true;
    fuse_loop_config* settings = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(settings, 0);  // one descriptor, so that another process can take the mount over
    fuse_loop_cfg_set_max_threads(settings, kThreadsMax);
    fuse_loop_cfg_set_idle_threads(settings, kIdleThreadsMax);
    const int outcome = stopped_ ? 0 : fuse_session_loop_mt(session_, settings);
    fuse_loop_cfg_destroy(settings);
    serving_ = false;
    if (outcome < 0) {
      return fail(Errc::io, fmt::format("the connection to the kernel failed: {}", std::strerror(-outcome)));
    }
    return {};
  }

  Connection connection_;
  Ledger ledger_;
  InFlight in_flight_;
  HandleRecords handles_;
  Gate gate_;
  Device device_;
  LockWaiters waiters_;
  Server server_;
  fuse_session* session_ = nullptr;
  int descriptor_ = -1;  // owned by session_
  pthread_t serving_thread_{};
  std::atomic<bool> serving_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace

Result<std::unique_ptr<Session>> attach(Connection connection, vfs::Filesystem& filesystem, Log& log) {
  TRY_ASSIGN(Ledger ledger, Ledger::map(connection.ledger.get()));
  auto session = std::make_unique<LibfuseSession>(std::move(connection), std::move(ledger), filesystem, log);
  TRY(session->attach());
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace prefixfs::fuse
