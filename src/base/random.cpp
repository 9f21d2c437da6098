#include "prefixfs/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace prefixfs {

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  // getrandom(2): requests up to 256 bytes are never cut short once the kernel's pool is ready.
  while (::getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) {
    if (errno != EINTR) {
      // Numbers that can be guessed would be worse than no process: names of staged files and upload tokens come from here.
      std::perror("prefixfs: getrandom");
      std::abort();
    }
  }
  return value;
}

}  // namespace prefixfs
