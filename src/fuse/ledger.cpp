#include "ledger.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "prefixfs/fuse/mount.h"

namespace prefixfs::fuse {

// Two programs must see the same bytes.
static_assert(sizeof(InFlightRecord) == 24 && sizeof(HandleRecord) == 136);
static_assert(std::atomic<HandleKind>::is_always_lock_free && std::atomic<HandleState>::is_always_lock_free);

Result<UniqueFd> make_ledger() {
  UniqueFd fd(::memfd_create("prefixfs-ledger", MFD_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), sizeof(LedgerLayout)) != 0) {
    return fail(Errc::io, fmt::format("cannot make the memory that outlives the worker: {}", std::strerror(errno)));
  }
  return fd;
}

Result<Ledger> Ledger::map(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::size_t>(status.st_size) != sizeof(LedgerLayout)) {
    return fail(Errc::unsupported, "the memory of the worker before is that of another version");
  }
  void* memory = ::mmap(nullptr, sizeof(LedgerLayout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (memory == MAP_FAILED) {
    return fail(Errc::io, fmt::format("cannot map the memory that outlives the worker: {}", std::strerror(errno)));
  }
  Ledger ledger(static_cast<LedgerLayout*>(memory));
  if (ledger->version != 0 && ledger->version != kLedgerVersion) {
    return fail(Errc::unsupported, "the memory of the worker before is that of another version");
  }
  ledger->version = kLedgerVersion;
  return ledger;
}

Ledger::Ledger(Ledger&& other) noexcept : layout_(std::exchange(other.layout_, nullptr)) {}

Ledger::~Ledger() {
  if (layout_ != nullptr) {
    ::munmap(layout_, sizeof(LedgerLayout));
  }
}

}  // namespace prefixfs::fuse
