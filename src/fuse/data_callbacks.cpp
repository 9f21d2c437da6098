#include "data_callbacks.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>

#include "lock_callbacks.h"
#include "request.h"

namespace prefixfs::fuse {
namespace {

using Interrupts = Request::Interrupts;

/// What is being written is to be finished; an upgrade waits for that.
template <class Body>
void answer_write(fuse_req_t raw, fuse_ino_t inode, Body&& body) {
  if (static_cast<Server*>(fuse_req_userdata(raw))->handles.is_unstored(inode)) {
    answer(raw, Interrupts::ignore, std::forward<Body>(body));
  } else {
    answer_change(raw, Interrupts::ignore, std::forward<Body>(body));
  }
}

}  // namespace

void on_read(fuse_req_t raw, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* file) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    // Memory of its own for each read would be mapped, filled by the kernel with zeros page by page, and unmapped again.
    const std::span<std::byte> there = Device::request_buffer();
    const auto own = size > there.size() ? std::make_unique_for_overwrite<std::byte[]>(size) : nullptr;
    std::byte* const bytes = own ? own.get() : there.data();
    const auto got = request.filesystem().read(file->fh, static_cast<std::uint64_t>(offset), {bytes, size}, request.caller());
    if (!got) {
      request.reply(got.error());
      return;
    }
    fuse_reply_buf(request.settle(), reinterpret_cast<const char*>(bytes), *got);
  });
}

void on_write(fuse_req_t raw, fuse_ino_t inode, const char* data, std::size_t size, off_t offset, fuse_file_info* file) {
  answer_write(raw, inode, [&](const Request& request) {
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
    // Pages of a shared mapping have their place, whatever the flags of the descriptor that the kernel sends them through.
    const bool from_mapping = file->writepage != 0;
    vfs::Caller caller = request.caller();
    caller.thread = from_mapping ? 0 : caller.thread;
    const bool append = !from_mapping && (file->flags & O_APPEND) != 0;
    const auto position = append ? std::nullopt : std::optional(static_cast<std::uint64_t>(offset));
    const auto written = request.filesystem().write(file->fh, position, bytes, caller);
    request.handles().written(inode);
    if (!written) {
      request.reply(written.error());
      return;
    }
    fuse_reply_write(request.settle(), *written);
  });
}

/// A signal does not end close or fsync: what a program has written must not be lost because a timer went off.
void on_flush(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    const auto flushed = request.filesystem().flush(file->fh, request.caller());
    const auto unlocked = unlock_closed(request, *file);
    request.handles().changed(inode);
    request.reply(flushed ? unlocked : flushed);
  });
}

void on_fsync(fuse_req_t raw, fuse_ino_t inode, int, fuse_file_info* file) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    const auto synced = request.filesystem().fsync(file->fh, request.caller());
    request.handles().changed(inode);
    request.reply(synced);
  });
}

void on_fallocate(fuse_req_t raw, fuse_ino_t inode, int mode, off_t offset, off_t length, fuse_file_info* file) {
  answer_write(raw, inode, [&](const Request& request) {
    const auto allocated = request.filesystem().allocate(file->fh, mode, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length),
                                                         request.caller());
    request.handles().changed(inode);
    request.reply(allocated);
  });
}

void on_lseek(fuse_req_t raw, fuse_ino_t, off_t offset, int whence, fuse_file_info* file) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    const auto found = request.filesystem().seek(file->fh, static_cast<std::uint64_t>(offset), whence, request.caller());
    if (!found) {
      request.reply(found.error());
      return;
    }
    fuse_reply_lseek(request.settle(), static_cast<off_t>(*found));
  });
}

void on_copy_file_range(fuse_req_t raw, fuse_ino_t, off_t from_offset, fuse_file_info* from, fuse_ino_t to_inode, off_t to_offset, fuse_file_info* to,
                        std::size_t length, int) {
  answer_write(raw, to_inode, [&](const Request& request) {
    const auto copied = request.filesystem().copy_range({.handle = from->fh, .offset = static_cast<std::uint64_t>(from_offset)},
                                                        {.handle = to->fh, .offset = static_cast<std::uint64_t>(to_offset)}, length, request.caller());
    request.handles().changed(to_inode);
    if (!copied) {
      request.reply(copied.error());
    } else if (!*copied) {
      fuse_reply_err(request.settle(), EOPNOTSUPP);  // the kernel reads and writes instead
    } else {
      fuse_reply_write(request.settle(), **copied);
    }
  });
}

}  // namespace prefixfs::fuse
