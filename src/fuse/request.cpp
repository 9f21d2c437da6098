#include "request.h"

#include <sys/stat.h>

#include "interrupts.h"
#include "prefixfs/fuse/session.h"

namespace prefixfs::fuse {
namespace {

mode_t type_of(vfs::NodeKind kind) {
  switch (kind) {
    case vfs::NodeKind::file: return S_IFREG;
    case vfs::NodeKind::directory: return S_IFDIR;
    case vfs::NodeKind::symlink: return S_IFLNK;
    case vfs::NodeKind::fifo: return S_IFIFO;
    case vfs::NodeKind::socket: return S_IFSOCK;
    case vfs::NodeKind::character_device: return S_IFCHR;
    case vfs::NodeKind::block_device: return S_IFBLK;
  }
  return S_IFREG;
}

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

timespec to_timespec(std::int64_t nanoseconds) {
  std::int64_t whole = nanoseconds / kNanosecondsPerSecond;
  std::int64_t rest = nanoseconds % kNanosecondsPerSecond;
  if (rest < 0) {
    rest += kNanosecondsPerSecond;
    --whole;
  }
  return {.tv_sec = whole, .tv_nsec = rest};
}

}  // namespace

Request::Request(fuse_req_t request, Interrupts interrupts) : request_(request), all_signals_(interrupts == Interrupts::heed_all) {
  if (interrupts != Interrupts::ignore) {
    fuse_req_interrupt_func(request_, &Request::interrupted, this);
  }
}

Request::~Request() = default;

fuse_req_t Request::settle() const {
  fuse_req_interrupt_func(request_, nullptr, nullptr);
  return request_;
}

void Request::interrupted(fuse_req_t request, void* self) {
  auto& mine = *static_cast<Request*>(self);
  if (mine.all_signals_ || is_to_end(fuse_req_ctx(request)->pid)) {
    mine.interrupt();
  }
}

vfs::Caller Request::caller() const {
  const fuse_ctx* context = fuse_req_ctx(request_);
  return {.uid = context->uid, .gid = context->gid, .thread = context->pid, .request = Device::request_number(),
          .resent = Device::is_resent(), .kills_set_id = Device::kills_set_id(), .context = {.deadline = SteadyTime::max(), .cancel = stop_.get_token()}};
}

void Request::reply(const Error& error) const {
  const bool expected = error.code == Errc::not_found || error.code == Errc::exists || error.code == Errc::cancelled ||
                        error.code == Errc::not_empty || error.code == Errc::is_dir || error.code == Errc::not_dir ||
                        error.code == Errc::cross_device || error.code == Errc::name_too_long || error.code == Errc::not_permitted || error.code == Errc::past_end;
  server().log.write(expected ? LogLevel::debug : LogLevel::warn, "answered with an error: " + describe(error));
  fuse_reply_err(settle(), errno_of(error));
}

void Request::reply(const Result<void>& result) const {
  if (result) {
    fuse_reply_err(settle(), 0);
  } else {
    reply(result.error());
  }
}

void Request::reply_entry(const Result<vfs::Entry>& entry) const {
  if (!entry) {
    reply(entry.error());
    return;
  }
  const fuse_entry_param param = entry_param(*entry);
  fuse_reply_entry(settle(), &param);
}

void Request::reply_attributes(const Result<vfs::Entry>& entry) const {
  if (!entry) {
    reply(entry.error());
    return;
  }
  const struct stat attributes = stat_of(entry->attributes);
  fuse_reply_attr(settle(), &attributes, entry->exact ? seconds(entry->valid_for) : 0);
}

void Request::reply_lock(const Result<void>& locked) const {
  if (locked) {
    fuse_reply_err(settle(), 0);
    return;
  }
  const bool expected = locked.error().code == Errc::busy || locked.error().code == Errc::cancelled;
  server().log.write(expected ? LogLevel::debug : LogLevel::warn, "answered with an error: " + describe(locked.error()));
  fuse_reply_err(settle(), errno_of_lock(locked.error()));
}

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

struct stat stat_of(const vfs::Attributes& attributes) {
  struct stat result {};
  result.st_ino = attributes.id;
  result.st_mode = attributes.posix.mode | type_of(attributes.kind);
  result.st_nlink = attributes.links;
  result.st_uid = attributes.posix.uid;
  result.st_gid = attributes.posix.gid;
  result.st_rdev = attributes.rdev;
  result.st_size = static_cast<off_t>(attributes.size);
  result.st_blksize = 128 << 10;
  result.st_blocks = static_cast<blkcnt_t>((attributes.size + 511) / 512);
  result.st_mtim = to_timespec(attributes.posix.mtime_ns);
  result.st_atim = to_timespec(attributes.posix.atime_ns.value_or(attributes.posix.mtime_ns));
  result.st_ctim = to_timespec(attributes.ctime_ns);
  return result;
}

fuse_entry_param entry_param(const vfs::Entry& entry) {
  fuse_entry_param param{};
  param.ino = entry.attributes.id;
  param.generation = 1;  // numbers are never used again, so one generation is enough
  param.attr = stat_of(entry.attributes);
  param.attr_timeout = entry.exact ? seconds(entry.valid_for) : 0;
  param.entry_timeout = seconds(entry.valid_for);
  return param;
}

}  // namespace prefixfs::fuse
