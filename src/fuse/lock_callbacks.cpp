#include "lock_callbacks.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {
namespace {

using Interrupts = Request::Interrupts;
using locks::Kind;
using locks::Mode;
using Wait = locks::Locks::Wait;

ByteRange range_of(const struct flock& lock) {
  const auto begin = static_cast<std::uint64_t>(lock.l_start);
  return {begin, lock.l_len == 0 ? locks::kEverything.end : begin + static_cast<std::uint64_t>(lock.l_len)};
}

locks::Lock lock_of(const struct flock& lock, const fuse_file_info& file) {
  return {.owner = {.kind = Kind::posix, .number = file.lock_owner},
          .mode = lock.l_type == F_RDLCK ? Mode::shared : Mode::exclusive,
          .range = range_of(lock),
          .pid = lock.l_pid,
          .handle = file.fh};
}

/// The kernel's own number of an open file is given to the next one while the release of the first may still be on its way.
locks::Owner flock_owner(const fuse_file_info& file) { return {.kind = Kind::flock, .number = file.fh}; }

/// Until the lock is there, or any signal comes: a handler with SA_RESTART makes the kernel ask again, another one ends the call (EINTR).
void wait_for_lock(fuse_req_t raw, vfs::HandleId handle, const locks::Lock& wanted, vfs::Caller caller, const std::stop_token& end) {
  Request request(raw, Interrupts::heed_all);
  const std::stop_callback ends(end, [&request] { request.interrupt(); });
  caller.context.cancel = request.caller_token();
  const auto locked = [&]() -> Result<void> {
    try {
      return request.filesystem().lock(handle, wanted, Wait::yes, caller);
    } catch (const std::exception& exception) {
      return fail(Errc::internal, std::string("a bug: ") + exception.what());
    }
  }();
  if (end.stop_requested() && !locked) {
    request.settle();  // it stays unanswered, and the next worker gets it
    return;
  }
  request.reply_lock(locked);
}

void lock(fuse_req_t raw, vfs::HandleId handle, const locks::Lock& wanted, Wait wait) {
  // A signal that comes before the wait is told when that begins.
  answer(raw, wait == Wait::yes ? Interrupts::ignore : Interrupts::heed, [&](const Request& request) {
    const vfs::Caller caller = request.caller();
    const auto locked = request.filesystem().lock(handle, wanted, Wait::no, caller);
    if (locked || locked.error().code != Errc::busy || wait == Wait::no) {
      request.reply_lock(locked);
      return;
    }
    const bool waits = request.server().lock_waiters.start(
        [raw, handle, wanted, caller](const std::stop_token& end) { wait_for_lock(raw, handle, wanted, caller, end); });
    if (!waits) {
      request.reply_lock(fail(Errc::unsupported, "too many programs wait for locks"));
    }
  });
}

void unlock(fuse_req_t raw, vfs::HandleId handle, const locks::Owner& owner, ByteRange range) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    request.reply_lock(request.filesystem().unlock(handle, owner, range, request.caller()));
  });
}

}  // namespace

void on_getlk(fuse_req_t raw, fuse_ino_t, fuse_file_info* file, struct flock* asked) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    const auto found = request.filesystem().lock_in_the_way(file->fh, lock_of(*asked, *file), request.caller());
    if (!found) {
      request.reply_lock(fail(found.error()));
      return;
    }
    struct flock answered = *asked;
    answered.l_type = F_UNLCK;
    if (*found) {
      const locks::Lock& lock = **found;
      answered.l_type = lock.mode == Mode::shared ? F_RDLCK : F_WRLCK;
      answered.l_whence = SEEK_SET;
      answered.l_start = static_cast<off_t>(lock.range.begin);
      answered.l_len = lock.range.end == locks::kEverything.end ? 0 : static_cast<off_t>(lock.range.length());
      answered.l_pid = lock.pid;
    }
    fuse_reply_lock(request.settle(), &answered);
  });
}

void on_setlk(fuse_req_t raw, fuse_ino_t, fuse_file_info* file, struct flock* asked, int sleep) {
  if (asked->l_type == F_UNLCK) {
    unlock(raw, file->fh, lock_of(*asked, *file).owner, range_of(*asked));
  } else {
    lock(raw, file->fh, lock_of(*asked, *file), sleep != 0 ? Wait::yes : Wait::no);
  }
}

void on_flock(fuse_req_t raw, fuse_ino_t, fuse_file_info* file, int operation) {
  const locks::Owner owner = flock_owner(*file);
  if ((operation & LOCK_UN) != 0) {
    unlock(raw, file->fh, owner, locks::kEverything);
    return;
  }
  const locks::Lock wanted{.owner = owner, .mode = (operation & LOCK_SH) != 0 ? Mode::shared : Mode::exclusive, .pid = fuse_req_ctx(raw)->pid, .handle = file->fh};
  lock(raw, file->fh, wanted, (operation & LOCK_NB) != 0 ? Wait::no : Wait::yes);
}

Result<void> unlock_closed(const Request& request, const fuse_file_info& file) {
  if (!request.filesystem().shares_locks()) {
    return {};
  }
  request.filesystem().closing(file.fh);
  return request.filesystem().unlock(file.fh, {.kind = Kind::posix, .number = file.lock_owner}, locks::kEverything, request.caller());
}

void unlock_released(const Request& request, const fuse_file_info& file) {
  const bool shared = request.filesystem().shares_locks();
  const auto unlocked = shared ? request.filesystem().unlock_released(file.fh, request.caller()) : Result<void>();
  if (!unlocked) {
    request.server().log.warn("a lock has gone with its descriptor before S3 had all that was written: {}", describe(unlocked.error()));
  }
}

}  // namespace prefixfs::fuse
