#include "background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs::daemon {
namespace {

/// Waits for the child's word. No word: it ended, and its exit code tells.
int await_child(pid_t child, int words) {
  char word = 0;
  ssize_t got = 0;
  do {
    got = ::read(words, &word, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) {
    return kExitSuccess;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) {
    return WEXITSTATUS(status);
  }
  std::fprintf(stderr, "prefixfs: the mount process died from signal %d before the mount answered\n", WTERMSIG(status));
  return kExitSystem;
}

}  // namespace

void detach_standard_streams() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.get(), stream);
  }
}

int run_in_background(const std::function<int(std::function<void()> ready)>& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    std::fprintf(stderr, "prefixfs: cannot make a pipe: %s\n", std::strerror(errno));
    return kExitSystem;
  }
  UniqueFd from_child(ends[0]);
  UniqueFd to_parent(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    std::fprintf(stderr, "prefixfs: cannot start the mount process: %s\n", std::strerror(errno));
    return kExitSystem;
  }
  if (child > 0) {
    to_parent.reset();
    return await_child(child, from_child.get());
  }
  from_child.reset();
  ::setsid();
  if (::chdir("/") != 0) {
    // The daemon then keeps its directory busy, and works all the same.
  }
  const int code = body([&to_parent] {
    detach_standard_streams();
    const char word = '+';
    if (to_parent && ::write(to_parent.get(), &word, 1) != 1) {
      // Nobody waits any more; the mount is there for all that.
    }
    to_parent.reset();
  });
  ::_exit(code);
}

}  // namespace prefixfs::daemon
