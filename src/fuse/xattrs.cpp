#include "xattrs.h"

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "request.h"

namespace prefixfs::fuse {
namespace {

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

std::optional<std::string> value_of(std::string_view name, const vfs::FileCondition& condition) {
  if (name == "user.prefixfs.state") {
    return std::string(word_of(condition.state));
  }
  if (name == "user.prefixfs.last_error" && condition.last_error) {
    return describe(*condition.last_error);
  }
  return std::nullopt;
}

}  // namespace

void on_getxattr(fuse_req_t raw, fuse_ino_t inode, const char* name, std::size_t size) {
  if (!std::string_view(name).starts_with("user.prefixfs.")) {
    // Not ENODATA: ls and cp then ask for each file. Not ENOSYS: the kernel then asks for nothing any more, our own names included.
    fuse_reply_err(raw, EOPNOTSUPP);
    return;
  }
  answer(raw, Request::Interrupts::ignore, [&](const Request& request) {
    const auto value = value_of(name, request.filesystem().condition(inode));
    if (!value) {
      fuse_reply_err(request.settle(), ENODATA);
    } else if (size == 0) {
      fuse_reply_xattr(request.settle(), value->size());
    } else if (size < value->size()) {
      fuse_reply_err(request.settle(), ERANGE);
    } else {
      fuse_reply_buf(request.settle(), value->data(), value->size());
    }
  });
}

}  // namespace prefixfs::fuse
