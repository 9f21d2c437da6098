#include "device.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "init_answer.h"
#include "set_id.h"

namespace prefixfs::fuse {
namespace {

// FUSE_NOTIFY_RESEND of protocol 7.40; headers of older kernels lack it.
constexpr std::int32_t kNotifyResend = 7;

thread_local std::uint64_t this_threads_request = 0;
thread_local bool this_threads_request_kills_set_id = false;
thread_local std::span<std::byte> this_threads_buffer;
thread_local int this_threads_device = -1;

/// libfuse ends its threads by pthread_cancel, which may only strike while they wait for a request.
class Uncancelled {
 public:
  Uncancelled() { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~Uncancelled() { ::pthread_setcancelstate(before_, nullptr); }
  Uncancelled(const Uncancelled&) = delete;
  Uncancelled& operator=(const Uncancelled&) = delete;

 private:
  int before_ = 0;
};

bool is_answered(std::uint32_t opcode) {
  return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT && opcode != FUSE_NOTIFY_REPLY;
}

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

/// A worker that gets SIGKILL still takes requests that wait. The kernel sends those again, but not one that finds no page under its bytes then: a process that dies
/// gets no page any more, and the program EIO (Linux: fuse_dev_do_read). libfuse has one buffer for each thread.
void make_resident(void* buffer, std::size_t size) {
  thread_local const void* resident = nullptr;
  if (std::exchange(resident, buffer) == buffer) {
    return;
  }
  volatile auto* const bytes = static_cast<std::byte*>(buffer);
  for (std::size_t at = 0; at < size; at += page_bytes()) {
    bytes[at] = std::byte{};
  }
  bytes[size - 1] = std::byte{};
}

ssize_t length(const iovec* parts, int count) {
  std::size_t bytes = 0;
  for (int part = 0; part < count; ++part) {
    bytes += parts[part].iov_len;
  }
  return static_cast<ssize_t>(bytes);
}

}  // namespace

std::uint64_t Device::current_request() { return this_threads_request; }

std::span<std::byte> Device::request_buffer() {
  // Processors copy several times slower to what lies a few bytes behind the beginning of a page, as the memory of malloc does (AMD, "rep movsb").
  void* aligned = this_threads_buffer.data();
  std::size_t size = this_threads_buffer.size();
  return std::align(page_bytes(), 1, aligned, size) != nullptr ? std::span(static_cast<std::byte*>(aligned), size) : std::span<std::byte>();
}

void Device::forget_attributes(std::uint64_t inode) {
  const fuse_notify_inval_inode_out what{.ino = inode, .off = -1, .len = 0};
  const fuse_out_header header{.len = sizeof header + sizeof what, .error = FUSE_NOTIFY_INVAL_INODE, .unique = 0};
  const std::array<iovec, 2> parts{iovec{const_cast<fuse_out_header*>(&header), sizeof header}, iovec{const_cast<fuse_notify_inval_inode_out*>(&what), sizeof what}};
  // Where the kernel does not know the inode, it has no attributes either.
  [[maybe_unused]] const ssize_t written = ::writev(this_threads_device, parts.data(), parts.size());
}

bool Device::kills_set_id() { return this_threads_request_kills_set_id; }

void Device::on_first_exchange(std::function<void(const SavedInit&)> save, std::function<void()> answered) {
  save_ = std::move(save);
  answered_ = std::move(answered);
}

ssize_t Device::read(int fd, void* buffer, std::size_t size) {
  make_resident(buffer, size);
  while (true) {
    const ssize_t got = ::read(fd, buffer, size);
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) {
      return got;
    }
    const Uncancelled undisturbed;
    fuse_in_header header;
    std::memcpy(&header, buffer, sizeof header);
    this_threads_request = header.unique;
    this_threads_buffer = {static_cast<std::byte*>(buffer), size};
    this_threads_device = fd;
    this_threads_request_kills_set_id = asks_to_kill_set_id({static_cast<const std::byte*>(buffer), static_cast<std::size_t>(got)});
    if (header.opcode == FUSE_INIT && save_) {
      const auto* bytes = static_cast<const std::byte*>(buffer);
      first_ = InitExchange{.request = {bytes, bytes + got}, .granted = 0};
    }
    if (!is_answered(header.opcode) || in_flight_.admit(header)) {
      return got;
    }
    refuse(fd, header);
  }
}

void Device::refuse(int fd, const fuse_in_header& header) {
  log_.error("request {} (opcode {}, inode {}) was in hand when {} workers died: it is answered with EIO", header.unique & ~kResentBit,
             header.opcode, header.nodeid, InFlight::kDeathsMax);
  const fuse_out_header refusal{.len = sizeof(fuse_out_header), .error = -EIO, .unique = header.unique};
  const iovec part{.iov_base = const_cast<fuse_out_header*>(&refusal), .iov_len = sizeof refusal};
  write(fd, &part, 1);
}

ssize_t Device::write(int fd, const iovec* parts, int count) {
  if (swallow_) {
    swallow_ = false;
    return length(parts, count);
  }
  if (first_) {
    return answer_init(fd, parts, count);
  }
  fuse_out_header header;
  std::memcpy(&header, parts[0].iov_base, sizeof header);
  in_flight_.answered(header.unique);
  return ::writev(fd, parts, count);
}

ssize_t Device::answer_init(int fd, const iovec* parts, int count) {
  keep_writes_from_asking(parts, count);
  if (count > 1) {
    first_->granted = granted_flags({static_cast<const std::byte*>(parts[1].iov_base), parts[1].iov_len});
    save_(first_->encode());
  }
  in_flight_.answered(reinterpret_cast<const fuse_in_header*>(first_->request.data())->unique);
  first_.reset();
  const ssize_t written = ::writev(fd, parts, count);
  if (written > 0 && count > 1 && answered_) {
    answered_();
  }
  return written;
}

Result<void> Device::ask_to_resend(int fd) {
  const fuse_out_header resend{.len = sizeof(fuse_out_header), .error = kNotifyResend, .unique = 0};
  if (::write(fd, &resend, sizeof resend) == sizeof resend || errno == ENODEV) {
    return {};  // without a mount nobody waits
  }
  return fail(Errc::unsupported, fmt::format("the kernel does not send again what was not answered: {}", std::strerror(errno)));
}

}  // namespace prefixfs::fuse
