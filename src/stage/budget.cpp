#include "prefixfs/stage/staged_file.h"

namespace prefixfs::stage {

bool Budget::take(std::uint64_t bytes) {
  std::uint64_t used = used_.load();
  do {
    if (bytes > bytes_max_ || used > bytes_max_ - bytes) {
      return false;
    }
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

void Budget::give_back(std::uint64_t bytes) { used_.fetch_sub(bytes); }

}  // namespace prefixfs::stage
