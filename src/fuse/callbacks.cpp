#include "callbacks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "data_callbacks.h"
#include "lock_callbacks.h"
#include "request.h"
#include "xattrs.h"

namespace prefixfs::fuse {
namespace {

using Interrupts = Request::Interrupts;

// 64 threads of libfuse hold a buffer of this size each, so it also bounds the daemon's memory. A later version may make it larger, never smaller:
// its worker may take over a mount to which the kernel was told this.
constexpr unsigned kWriteBytesMax = 256 << 10;
constexpr unsigned kReadAheadBytesMax = 1 << 20;
constexpr unsigned kBackgroundRequestsMax = 64;

void on_init(void* userdata, fuse_conn_info* connection) {
  connection->max_write = kWriteBytesMax;
  connection->max_readahead = std::min(connection->max_readahead, kReadAheadBytesMax);
  connection->max_background = kBackgroundRequestsMax;
  connection->congestion_threshold = kBackgroundRequestsMax * 3 / 4;
  // The kernel drops pages by its own guess from mtime, which for S3 objects moves by fractions of a second; open tells it exactly. Where it is told another
  // size than it knows, it drops them unasked (that is off with FUSE_CAP_EXPLICIT_INVAL_DATA): another host's lines have come before those appended here.
  // Where locks hold between hosts, its guess is needed: a file that is locked goes on from another version while it is open.
  const bool guesses = static_cast<Server*>(userdata)->filesystem.shares_locks();
  connection->want &= ~static_cast<unsigned>((guesses ? 0 : FUSE_CAP_AUTO_INVAL_DATA) | FUSE_CAP_WRITEBACK_CACHE);
  // With splice libfuse keeps a pipe of buffers for each thread; replies here are copies of at most 1 MiB.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

void on_lookup(fuse_req_t raw, fuse_ino_t parent, const char* name) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    request.reply_entry(request.filesystem().lookup(parent, name, request.caller()));
  });
}

/// Nothing is counted for the kernel: inode numbers are never used again, so there is nothing to forget.
void on_forget(fuse_req_t raw, fuse_ino_t, std::uint64_t) { fuse_reply_none(raw); }
void on_forget_multi(fuse_req_t raw, std::size_t, fuse_forget_data*) { fuse_reply_none(raw); }

void on_getattr(fuse_req_t raw, fuse_ino_t inode, fuse_file_info*) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    request.reply_attributes(request.filesystem().getattr(inode, request.caller()));
  });
}

/// What 64 bits of nanoseconds cannot hold (before 1678, after 2261) becomes the nearest that they can.
std::int64_t nanoseconds_of(const timespec& time) {
  constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  return std::clamp<std::int64_t>(time.tv_sec, -kSecondsMax, kSecondsMax) * 1'000'000'000 + time.tv_nsec;
}

vfs::SetAttributes changes_of(const struct stat& attributes, int to_set) {
  vfs::SetAttributes changes;
  if ((to_set & FUSE_SET_ATTR_SIZE) != 0) {
    changes.size = static_cast<std::uint64_t>(attributes.st_size);
  }
  if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
    changes.mode = attributes.st_mode;
  }
  if ((to_set & FUSE_SET_ATTR_UID) != 0) {
    changes.uid = attributes.st_uid;
  }
  if ((to_set & FUSE_SET_ATTR_GID) != 0) {
    changes.gid = attributes.st_gid;
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) {
    changes.mtime_ns = nanoseconds_of(now);
  } else if ((to_set & FUSE_SET_ATTR_MTIME) != 0) {
    changes.mtime_ns = nanoseconds_of(attributes.st_mtim);
  }
  if ((to_set & FUSE_SET_ATTR_ATIME_NOW) != 0) {
    changes.atime_ns = nanoseconds_of(now);
  } else if ((to_set & FUSE_SET_ATTR_ATIME) != 0) {
    changes.atime_ns = nanoseconds_of(attributes.st_atim);
  }
  return changes;
}

void on_setattr(fuse_req_t raw, fuse_ino_t inode, struct stat* attributes, int to_set, fuse_file_info* file) {
  answer_change(raw, Interrupts::ignore, [&](const Request& request) {
    const auto handle = file != nullptr ? std::optional<vfs::HandleId>(file->fh) : std::nullopt;
    const auto changed = request.filesystem().setattr(inode, handle, changes_of(*attributes, to_set), request.caller());
    request.handles().changed(inode);
    request.reply_attributes(changed);
  });
}

void release(const Request& request, vfs::HandleId handle) {
  request.filesystem().release(handle);
  request.handles().closed(handle);
}

void fill_opened(fuse_file_info& file, const vfs::Opened& opened) {
  file.fh = opened.handle;
  file.keep_cache = opened.keep_cache ? 1 : 0;
}

void on_open(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file) {
  const auto open = [&](const Request& request) {
    const auto opened = request.filesystem().open(inode, file->flags, request.caller());
    if (!opened) {
      request.reply(opened.error());
      return;
    }
    fill_opened(*file, *opened);
    if (opened->first_exact) {
      Device::forget_attributes(inode);  // who copies a file asks for its times between open() and the first read()
    }
    request.handles().opened(opened->handle, inode, file->flags, Device::current_request());
    if (fuse_reply_open(request.settle(), file) != 0) {
      release(request, opened->handle);  // the caller was killed meanwhile
    }
  };
  if ((file->flags & O_ACCMODE) == O_RDONLY && (file->flags & O_TRUNC) == 0) {
    answer(raw, Interrupts::heed, open);
  } else {
    answer_change(raw, Interrupts::heed, open);
  }
}

void on_create(fuse_req_t raw, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* file) {
  answer_change(raw, Interrupts::heed, [&](const Request& request) {
    const auto created = request.filesystem().create(parent, name, mode, file->flags, request.caller());
    if (!created) {
      request.reply(created.error());
      return;
    }
    fill_opened(*file, created->opened);
    const fuse_entry_param entry = entry_param(created->entry);
    request.handles().opened(created->opened.handle, entry.ino, file->flags, Device::current_request());
    if (fuse_reply_create(request.settle(), &entry, file) != 0) {
      release(request, created->opened.handle);
    }
  });
}

void on_release(fuse_req_t raw, fuse_ino_t, fuse_file_info* file) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    unlock_released(request, *file);
    release(request, file->fh);
    request.reply(Result<void>());
  });
}

/// A worker that has died may have done it without answering: then the name is gone, as was asked for.
Result<void> once_gone(Result<void> removed) {
  const bool done_before = !removed && removed.error().code == Errc::not_found && Device::is_resent();
  return done_before ? Result<void>() : removed;
}

void on_unlink(fuse_req_t raw, fuse_ino_t parent, const char* name) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    const auto removed = request.filesystem().unlink(parent, name, request.caller());
    request.handles().names_changed();
    request.reply(once_gone(removed));
  });
}

void on_mkdir(fuse_req_t raw, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    request.reply_entry(request.filesystem().mkdir(parent, name, mode, request.caller()));
  });
}

void on_rmdir(fuse_req_t raw, fuse_ino_t parent, const char* name) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    request.reply(once_gone(request.filesystem().rmdir(parent, name, request.caller())));
  });
}

void on_rename(fuse_req_t raw, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name, unsigned flags) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    const auto renamed = request.filesystem().rename(parent, name, new_parent, new_name, flags, request.caller());
    request.handles().names_changed();
    request.reply(renamed);
  });
}

void release_directory(const Request& request, vfs::HandleId handle) {
  request.filesystem().releasedir(handle);
  request.handles().closed_directory(handle);
}

void on_opendir(fuse_req_t raw, fuse_ino_t inode, fuse_file_info* file) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    const auto handle = request.filesystem().opendir(inode, request.caller());
    if (!handle) {
      request.reply(handle.error());
      return;
    }
    file->fh = *handle;
    request.handles().opened_directory(*handle, inode, Device::current_request());
    if (fuse_reply_open(request.settle(), file) != 0) {
      release_directory(request, *handle);
    }
  });
}

void on_releasedir(fuse_req_t raw, fuse_ino_t, fuse_file_info* file) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    release_directory(request, file->fh);
    request.reply(Result<void>());
  });
}

/// Both forms of readdir differ only in how an entry is packed.
template <class Pack>
void read_directory(fuse_req_t raw, std::size_t size, off_t position, fuse_file_info* file, Pack&& pack) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    std::vector<char> buffer(size);
    std::size_t used = 0;
    const auto sink = [&](const vfs::DirectoryEntry& entry) {
      const std::size_t needed = pack(raw, buffer.data() + used, size - used, entry);
      if (needed > size - used) {
        return false;
      }
      used += needed;
      return true;
    };
    const auto listed = request.filesystem().readdir(file->fh, static_cast<std::uint64_t>(position), sink, request.caller());
    if (!listed) {
      request.reply(listed.error());
      return;
    }
    fuse_reply_buf(request.settle(), buffer.data(), used);
  });
}

void on_readdir(fuse_req_t raw, fuse_ino_t, std::size_t size, off_t position, fuse_file_info* file) {
  read_directory(raw, size, position, file, [](fuse_req_t request, char* out, std::size_t room, const vfs::DirectoryEntry& entry) {
    const struct stat attributes = stat_of(entry.entry.attributes);
    return fuse_add_direntry(request, out, room, entry.name.c_str(), &attributes, static_cast<off_t>(entry.position));
  });
}

void on_readdirplus(fuse_req_t raw, fuse_ino_t, std::size_t size, off_t position, fuse_file_info* file) {
  read_directory(raw, size, position, file, [](fuse_req_t request, char* out, std::size_t room, const vfs::DirectoryEntry& entry) {
    const fuse_entry_param param = entry_param(entry.entry);
    return fuse_add_direntry_plus(request, out, room, entry.name.c_str(), &param, static_cast<off_t>(entry.position));
  });
}

/// No object has two names. Without this callback the kernel would say ENOSYS, as if the system call were unknown.
void on_link(fuse_req_t raw, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(raw, EPERM); }

/// Whether that is what was to be made.
bool is_it(const Request& request, const vfs::Entry& found, const vfs::NewNode& node) {
  if (found.attributes.kind != node.kind || node.kind != vfs::NodeKind::symlink) {
    return found.attributes.kind == node.kind;
  }
  const auto target = request.filesystem().readlink(found.attributes.id, request.caller());
  return target && *target == node.target;
}

void make_node(fuse_req_t raw, fuse_ino_t parent, const char* name, const vfs::NewNode& node) {
  answer_change(raw, Interrupts::ignore, [&](const Request& request) {
    auto made = request.filesystem().make_node(parent, name, node, request.caller());
    if (!made && made.error().code == Errc::exists && Device::is_resent()) {
      auto before = request.filesystem().lookup(parent, name, request.caller());  // by the worker that has died
      made = before && is_it(request, *before, node) ? std::move(before) : std::move(made);
    }
    request.reply_entry(made);
  });
}

void on_symlink(fuse_req_t raw, const char* target, fuse_ino_t parent, const char* name) {
  make_node(raw, parent, name, {.kind = vfs::NodeKind::symlink, .mode = 0777, .rdev = 0, .target = target});
}

std::optional<vfs::NodeKind> kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG: return vfs::NodeKind::file;
    case S_IFIFO: return vfs::NodeKind::fifo;
    case S_IFSOCK: return vfs::NodeKind::socket;
    case S_IFCHR: return vfs::NodeKind::character_device;
    case S_IFBLK: return vfs::NodeKind::block_device;
    default: return std::nullopt;
  }
}

void on_mknod(fuse_req_t raw, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  const auto kind = kind_of(mode);
  if (!kind) {
    fuse_reply_err(raw, EINVAL);
    return;
  }
  make_node(raw, parent, name, {.kind = *kind, .mode = mode, .rdev = meta::is_device(*kind) ? static_cast<std::uint32_t>(device) : 0, .target = {}});
}

void on_readlink(fuse_req_t raw, fuse_ino_t inode) {
  answer(raw, Interrupts::heed, [&](const Request& request) {
    const auto target = request.filesystem().readlink(inode, request.caller());
    if (!target) {
      request.reply(target.error());
      return;
    }
    fuse_reply_readlink(request.settle(), target->c_str());
  });
}

void on_fsyncdir(fuse_req_t raw, fuse_ino_t inode, int, fuse_file_info*) {
  answer(raw, Interrupts::heed, [&](const Request& request) { request.reply(request.filesystem().fsyncdir(inode, request.caller())); });
}

void on_statfs(fuse_req_t raw, fuse_ino_t) {
  answer(raw, Interrupts::ignore, [&](const Request& request) {
    constexpr std::uint64_t kBlock = 4096;
    const vfs::FilesystemStats stats = request.filesystem().statfs();
    struct statvfs answered {};
    answered.f_bsize = kBlock;
    answered.f_frsize = kBlock;
    answered.f_blocks = stats.total_bytes / kBlock;
    answered.f_bfree = stats.free_bytes / kBlock;
    answered.f_bavail = answered.f_bfree;
    answered.f_files = 1ULL << 40;
    answered.f_ffree = 1ULL << 40;
    answered.f_favail = 1ULL << 40;
    answered.f_namemax = 255;
    fuse_reply_statfs(request.settle(), &answered);
  });
}

}  // namespace

fuse_lowlevel_ops callbacks(bool with_locks) {
  fuse_lowlevel_ops table{};
  if (with_locks) {
    table.getlk = on_getlk;
    table.setlk = on_setlk;
    table.flock = on_flock;
  }
  table.init = on_init;
  table.lookup = on_lookup;
  table.forget = on_forget;
  table.forget_multi = on_forget_multi;
  table.getattr = on_getattr;
  table.setattr = on_setattr;
  table.open = on_open;
  table.create = on_create;
  table.read = on_read;
  table.write = on_write;
  table.flush = on_flush;
  table.fsync = on_fsync;
  table.release = on_release;
  table.unlink = on_unlink;
  table.mkdir = on_mkdir;
  table.symlink = on_symlink;
  table.readlink = on_readlink;
  table.link = on_link;
  table.mknod = on_mknod;
  table.rmdir = on_rmdir;
  table.rename = on_rename;
  table.opendir = on_opendir;
  table.releasedir = on_releasedir;
  table.readdir = on_readdir;
  table.readdirplus = on_readdirplus;
  table.fsyncdir = on_fsyncdir;
  table.statfs = on_statfs;
  table.getxattr = on_getxattr;
  table.listxattr = on_listxattr;
  table.setxattr = on_setxattr;
  table.removexattr = on_removexattr;
  table.fallocate = on_fallocate;
  table.lseek = on_lseek;
  table.copy_file_range = on_copy_file_range;
  return table;
}

}  // namespace prefixfs::fuse
