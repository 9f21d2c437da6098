#include "xattrs.h"

#include <sys/xattr.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "request.h"

namespace prefixfs::fuse {
namespace {

constexpr std::string_view kUser = "user.";
constexpr std::string_view kState = "prefixfs.state";
constexpr std::string_view kLastError = "prefixfs.last_error";
constexpr std::string_view kOwn = "prefixfs.";
constexpr std::string_view kObject = "s3.";

/// Without "user.". Nothing: of another namespace, of which there is none. Not ENODATA: ls and cp then ask for each file. Not ENOSYS: the kernel then asks for
/// nothing any more. And of ACLs cp -p must hear that they do not exist, or it sets no mode.
std::optional<std::string_view> user_name(std::string_view full) {
  return full.starts_with(kUser) ? std::optional(full.substr(kUser.size())) : std::nullopt;
}

/// These tell something, and are neither listed nor changed.
bool is_told(std::string_view name) { return name.starts_with(kOwn) || name.starts_with(kObject); }

std::string_view word_of(vfs::FileState state) {
  switch (state) {
    case vfs::FileState::clean: return "clean";
    case vfs::FileState::open: return "open";
    case vfs::FileState::owed: return "owed";
    case vfs::FileState::parked: return "parked";
    case vfs::FileState::conflict: return "conflict";
  }
  return "unknown";
}

Result<std::string> own_value(std::string_view name, const vfs::FileCondition& condition) {
  if (name == kState) {
    return std::string(word_of(condition.state));
  }
  if (name == kLastError && condition.last_error) {
    return describe(*condition.last_error);
  }
  return fail(Errc::no_attribute, "no such attribute");
}

Result<std::string> value_of(const Request& request, fuse_ino_t inode, std::string_view name) {
  if (name.starts_with(kOwn)) {
    return own_value(name, request.filesystem().condition(inode));
  }
  return name.starts_with(kObject) ? request.filesystem().object_field(inode, name.substr(kObject.size()), request.caller())
                                   : request.filesystem().xattr(inode, name, request.caller());
}

/// As getxattr(2) and listxattr(2) answer: a size of 0 asks how much there is.
void reply_sized(const Request& request, const std::string& bytes, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request.settle(), bytes.size());
  } else if (size < bytes.size()) {
    fuse_reply_err(request.settle(), ERANGE);
  } else {
    fuse_reply_buf(request.settle(), bytes.data(), bytes.size());
  }
}

void change(fuse_req_t raw, fuse_ino_t inode, std::string_view full, std::optional<std::string_view> value, vfs::Filesystem::XattrMust must) {
  const auto name = user_name(full);
  if (!name || is_told(*name)) {
    fuse_reply_err(raw, name ? EPERM : EOPNOTSUPP);
    return;
  }
  answer_change(raw, Request::Interrupts::ignore, [&](const Request& request) {
    const auto changed = request.filesystem().set_xattr(inode, *name, value, must, request.caller());
    request.handles().changed(inode);
    request.reply(changed);
  });
}

}  // namespace

void on_getxattr(fuse_req_t raw, fuse_ino_t inode, const char* full, std::size_t size) {
  const auto name = user_name(full);
  if (!name) {
    fuse_reply_err(raw, EOPNOTSUPP);
    return;
  }
  answer(raw, Request::Interrupts::heed, [&](const Request& request) {
    const auto value = value_of(request, inode, *name);
    if (value) {
      reply_sized(request, *value, size);
    } else {
      request.reply(value.error());
    }
  });
}

void on_listxattr(fuse_req_t raw, fuse_ino_t inode, std::size_t size) {
  answer(raw, Request::Interrupts::heed, [&](const Request& request) {
    const auto names = request.filesystem().xattr_names(inode, request.caller());
    if (!names) {
      request.reply(names.error());
      return;
    }
    std::string joined;
    for (const std::string& name : *names) {
      if (!is_told(name)) {
        joined.append(kUser).append(name).push_back('\0');
      }
    }
    reply_sized(request, joined, size);
  });
}

void on_setxattr(fuse_req_t raw, fuse_ino_t inode, const char* full, const char* value, std::size_t size, int flags) {
  using Must = vfs::Filesystem::XattrMust;
  const Must must = flags == XATTR_CREATE ? Must::be_new : flags == XATTR_REPLACE ? Must::be_there : Must::exist_or_not;
  change(raw, inode, full, std::string_view(value, size), must);
}

void on_removexattr(fuse_req_t raw, fuse_ino_t inode, const char* full) {
  change(raw, inode, full, std::nullopt, vfs::Filesystem::XattrMust::be_there);
}

}  // namespace prefixfs::fuse
