#include "worker_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "background.h"

namespace prefixfs::daemon {
namespace {

constexpr const char* kOwnProgram = "/proc/self/exe";
constexpr const char* kOomScore = "/proc/self/oom_score_adj";

Result<UniqueFd> open_program(const std::string& path) {
  UniqueFd program(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!program) {
    return fail(errno == ENOENT ? Errc::not_found : Errc::denied, fmt::format("cannot open the program {}: {}", path, std::strerror(errno)));
  }
  return program;
}

/// Where that is not allowed, nothing changes.
void set_oom_score(int score) { std::ofstream(kOomScore) << score; }

}  // namespace

WorkerProgram::WorkerProgram(std::vector<std::string> arguments, std::string directory)
    : arguments_(std::move(arguments)), directory_(std::move(directory)) {
  std::error_code error;
  path_ = std::filesystem::read_symlink(kOwnProgram, error).string();
  if (auto own = open_program(kOwnProgram)) {
    program_ = std::move(*own);
  }
  // The last process that should go when memory is short: it is small, and all others depend on it. A worker is as any other program.
  std::ifstream(kOomScore) >> oom_score_;
  set_oom_score(-1000);
}

Result<void> WorkerProgram::renew() {
  TRY_ASSIGN(UniqueFd installed, open_program(path_));
  before_ = std::move(program_);
  program_ = std::move(installed);
  return {};
}

void WorkerProgram::go_back() {
  if (before_) {
    program_ = std::move(before_);
  }
}

Result<WorkerProgram::Started> WorkerProgram::start(unsigned generation, const sigset_t& signals) const {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(Errc::io, fmt::format("cannot make a socket for the worker: {}", std::strerror(errno)));
  }
  UniqueFd own(ends[0]);
  const UniqueFd workers(ends[1]);
  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(Errc::io, fmt::format("cannot start a worker: {}", std::strerror(errno)));
  }
  if (pid == 0) {
    become_worker({.socket = workers.get(), .generation = generation, .directory = directory_}, signals, supervisor);
  }
  return Started{.pid = pid, .socket = std::move(own)};
}

void WorkerProgram::become_worker(const WorkerPlace& place, const sigset_t& signals, pid_t supervisor) const {
  set_oom_score(oom_score_);
  // A mount without its supervisor is not to live on: the worker then ends as it does when it is told to.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != supervisor) {
    ::_exit(kExitSystem);
  }
  ::setenv(kWorkerVariable, place.encode().c_str(), 1);
  ::fcntl(place.socket, F_SETFD, 0);
  std::vector<char*> words;
  for (const std::string& argument : arguments_) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::fexecve(program_.get(), words.data(), environ);
  std::fprintf(stderr, "prefixfs: cannot start the program again: %s\n", std::strerror(errno));
  ::_exit(kExitSystem);
}

}  // namespace prefixfs::daemon
