#include "supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "background.h"
#include "worker.h"

namespace prefixfs::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool ended_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }

std::string describe_end(int status) {
  return WIFSIGNALED(status) ? fmt::format("died from signal {}", WTERMSIG(status)) : fmt::format("ended with code {}", WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(fuse::MountOptions mount, WorkerProgram program, Log& log, std::function<void()> ready)
    : mount_(std::move(mount)), program_(std::move(program)), log_(log), ready_(std::move(ready)) {}

int Supervisor::run() {
  ::prctl(PR_SET_DUMPABLE, 0);  // its environment has keys
  block_signals();
  while (true) {
    Next next = start_worker();
    if (!next) {
      next = after(attend());
    }
    if (next) {
      return finish(*next);
    }
  }
}

void Supervisor::block_signals() {
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    ::sigaddset(&watched, number);
  }
  ::sigprocmask(SIG_BLOCK, &watched, &mask_before_);
  signals_.reset(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
}

Supervisor::Next Supervisor::start_worker() {
  auto started = program_.start(++generation_, mask_before_);
  if (!started) {
    std::fprintf(stderr, "prefixfs: %s\n", started.error().what.c_str());
    return answered_ ? after_death(started.error().what, false) : Next(kExitSystem);
  }
  worker_ = started->pid;
  socket_ = std::move(started->socket);
  started_ = steady_clock::now();
  served_ = false;
  return std::nullopt;
}

int Supervisor::attend() {
  int status = 0;
  attend_until(steady_clock::time_point::max(), [&] { return ::waitpid(worker_, &status, WNOHANG) == worker_; });
  worker_ = 0;
  while (on_message()) {  // its last words
  }
  socket_.reset();
  return status;
}

/// Looks after all that may come, until `done` says so or the time is over.
void Supervisor::attend_until(steady_clock::time_point end, const std::function<bool()>& done) {
  while (!done()) {
    keep_listening();
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) {
      return;
    }
    std::array<pollfd, 3> looks{pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = upgrades_.get(), .events = POLLIN, .revents = 0}};
    ::poll(looks.data(), looks.size(), static_cast<int>(std::min(left, milliseconds(1000)).count()));
    if (looks[0].revents != 0) {
      on_signal();
    }
    if (looks[1].revents != 0 && !on_message()) {
      socket_.reset();
    }
    if (looks[2].revents != 0) {
      on_upgrade();
    }
  }
}

void Supervisor::on_signal() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGCHLD) {
      ending_ = true;
      if (worker_ != 0) {
        ::kill(worker_, static_cast<int>(signal.ssi_signo));
      }
    }
  }
}

/// False: the worker has no more to say.
bool Supervisor::on_message() {
  pollfd look{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (!socket_ || ::poll(&look, 1, 0) != 1) {
    return false;
  }
  auto message = receive_message(socket_);
  if (!message) {
    return false;
  }
  switch (message->word) {
    case Word::mount:
      if (const auto given = worker_ != 0 ? give_mount() : Result<void>(); !given) {
        [[maybe_unused]] const auto told = send_message(socket_, Word::refused, std::as_bytes(std::span(given.error().what)));
      }
      break;
    case Word::init: init_ = std::move(message->body); break;
    case Word::serving: note_serving(); break;
    case Word::writing: settle_upgrade(message->text()); break;
    default: break;
  }
  return true;
}

Result<void> Supervisor::give_mount() {
  if (!device_) {
    remove_dead_mount();
    TRY_ASSIGN(ledger_, fuse::make_ledger());
    TRY_ASSIGN(device_, fuse::open_mount(mount_));
    device_name_ = fuse::mounted_device(mount_.mountpoint);
  }
  return send_message(socket_, Word::connection, init_, {device_.get(), ledger_.get()});
}

/// The address has the number of the device in it, and the kernel gives that to the next mount when this one is gone.
void Supervisor::keep_listening() {
  if (!device_) {
    return;
  }
  if (fuse::is_gone(device_)) {
    upgrades_.reset();
  } else if (!upgrades_) {
    if (auto listener = listen_for_upgrade(device_name_)) {
      upgrades_ = std::move(*listener);
      told_of_address_ = false;
    } else if (!std::exchange(told_of_address_, true)) {
      log_.info("{}", listener.error().what);
    }
  }
}

void Supervisor::note_serving() {
  served_ = true;
  settle_upgrade("");
  if (!answered_ && ready_) {
    ready_();
  }
  answered_ = true;
}

void Supervisor::on_upgrade() {
  UniqueFd asker = accept_upgrade(upgrades_);
  if (!asker) {
    return;
  }
  if (upgrading_ || ending_ || !served_ || worker_ == 0 || fuse::is_gone(device_)) {
    answer_upgrade(std::move(asker), "the mount is busy with an end or a beginning; try again");
  } else if (!fuse::can_be_taken_over(init_)) {
    answer_upgrade(std::move(asker), "this kernel does not allow it (that needs 6.9); unmount and mount");
  } else {
    upgrading_ = true;
    asker_ = std::move(asker);
    ::kill(worker_, kUpgradeSignal);
  }
}

void Supervisor::settle_upgrade(const std::string& problem) {
  if (upgrading_) {
    upgrading_ = false;
    log_.write(problem.empty() ? LogLevel::info : LogLevel::warn, problem.empty() ? "the installed program serves now" : "no upgrade: " + problem);
    answer_upgrade(std::move(asker_), problem);
  }
}

Supervisor::Next Supervisor::after(int status) {
  const bool makes_place = ended_with(status, kExitUpgrade) && upgrading_;
  const bool wants_new_mount = ended_with(status, kExitNewMount);
  if (ending_ && (makes_place || wants_new_mount)) {
    return makes_place ? kExitSuccess : kExitSystem;  // one that makes place has nothing that S3 has not
  }
  if (makes_place) {
    if (const auto renewed = program_.renew(); !renewed) {
      settle_upgrade(renewed.error().what);
    }
    return std::nullopt;
  }
  if (wants_new_mount) {
    drop_mount();
    return std::nullopt;
  }
  if (ended_with(status, kExitSuccess) || !answered_ || ending_ || !was_mounted()) {
    if (WIFSIGNALED(status) && !answered_) {
      std::fprintf(stderr, "prefixfs: the worker died from signal %d before the mount answered\n", WTERMSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : kExitSystem;
  }
  return after_death(describe_end(status), served_);
}

Supervisor::Next Supervisor::after_death(const std::string& how, bool served) {
  if (upgrading_ && !served) {
    program_.go_back();
    settle_upgrade(fmt::format("the new program {} before it served; the one before goes on", how));
  }
  if (fuse::is_gone(device_)) {
    log_.error("the worker {}, and the mount is gone", how);
    return kExitSystem;
  }
  const milliseconds wait = pauses_.next(steady_clock::now() - started_);
  log_.error("the worker {}; another one takes {} over{}", how, mount_.mountpoint,
             wait.count() > 0 ? fmt::format(" in {} ms", wait.count()) : "");
  if (device_ && !fuse::can_be_taken_over(init_)) {
    drop_mount();
  }
  return pause(wait);
}

Supervisor::Next Supervisor::pause(milliseconds wait) {
  attend_until(steady_clock::now() + wait, [this] { return ending_ || (device_ && fuse::is_gone(device_)); });
  return ending_ || (device_ && fuse::is_gone(device_)) ? Next(kExitSystem) : std::nullopt;
}

/// Nobody can go on with it: programs that wait are told that it is gone, and the next worker gets a new one. Until then the dead one stays, so
/// that nobody writes to the directory below it.
void Supervisor::drop_mount() {
  log_.error("{} cannot be taken over (the kernel does not send unanswered requests again, or the program keeps other records): it is mounted anew",
             mount_.mountpoint);
  upgrades_.reset();
  device_.reset();
  init_.clear();
}

void Supervisor::remove_dead_mount() {
  if (!device_ && !device_name_.empty() && fuse::mounted_device(mount_.mountpoint) == device_name_) {
    fuse::close_mount(mount_.mountpoint, {});
  }
  device_name_.clear();
}

int Supervisor::finish(int code) {
  settle_upgrade("the mount has ended");
  if (device_) {
    fuse::close_mount(mount_.mountpoint, std::move(device_));
  } else {
    remove_dead_mount();
  }
  return code;
}

}  // namespace prefixfs::daemon
