// prefixfs conflicts: what S3 did not take, and the way back into the mount.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "command_list.h"
#include "json_text.h"
#include "kept_files.h"
#include "output.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/base/time_format.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::admin {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

std::unexpected<Error> failed(std::string_view action, const std::string& path, int error_number) {
  return fail(Errc::io, fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error_number)));
}

std::string text_of(const KeptFile& file) {
  std::string text = fmt::format("{}\n  path:    {}\n  bytes:   {}\n  kept:    {}\n", escape_control(file.id),
                                 file.key.empty() ? "not known" : escape_control(file.key), file.bytes, format_iso8601(file.time));
  text += file.reason.empty() ? "" : fmt::format("  reason:  {}\n", escape_control(file.reason));
  text += file.version.empty() ? "" : fmt::format("  made from version {}\n", escape_control(file.version));
  return text + (file.incomplete ? "  only its changed ranges are there, the others read as zeros\n" : "");
}

std::string json_of(const KeptFile& file) {
  return JsonObject()
      .text("id", file.id)
      .text("file", file.path)
      .text_or_null("path", file.key)
      .number("bytes", file.bytes)
      .text("time", format_iso8601(file.time))
      .text_or_null("reason", file.reason)
      .text_or_null("version", file.version)
      .truth("incomplete", file.incomplete)
      .str();
}

Result<int> list(const Command& command) {
  TRY_ASSIGN(const std::vector<KeptFile> files, list_kept(command.place.cache_dir));
  JsonArray array;
  std::string text;
  for (const KeptFile& file : files) {
    array.add(json_of(file));
    text += text_of(file);
  }
  text += files.empty() ? "nothing is kept\n" : "";
  print(command.terminal.out, command.request.json ? array.str() + "\n" : text);
  return kDone;
}

Result<int> show(const Command& command, const std::string& id) {
  TRY_ASSIGN(const KeptFile file, find_kept(command.place.cache_dir, id));
  print(command.terminal.out, command.request.json ? json_of(file) + "\n" : text_of(file) + fmt::format("  file:    {}\n", escape_control(file.path)));
  return kDone;
}

/// Without the mount the bytes would go to the disk below it, and be hidden by the next one.
Result<void> check_mounted(const std::string& mountpoint) {
  struct stat here {};
  struct stat above {};
  if (::stat(mountpoint.c_str(), &here) != 0 || ::stat((mountpoint + "/..").c_str(), &above) != 0) {
    return failed("look at", mountpoint, errno);
  }
  return here.st_dev == above.st_dev ? fail(Errc::unavailable, mountpoint + " is not mounted") : Result<void>();
}

/// Below the mount, or wherever an absolute path says.
Result<std::string> target_of(const Command& command, const KeptFile& file) {
  const bool named = command.request.operands.size() > 2;
  const std::string below = named ? command.request.operands[2] : file.key;
  if (below.empty()) {
    return fail(Errc::invalid, fmt::format("nothing says where {} belongs; name a path below the mount behind it", file.id));
  }
  if (named && below.starts_with('/')) {
    return below;
  }
  const std::string target = (std::filesystem::path(command.place.mountpoint) / below).lexically_normal();
  return target.starts_with(command.place.mountpoint + "/") ? Result<std::string>(target)
                                                            : fail(Errc::invalid, fmt::format("{} is not below the mount", below));
}

/// On the disk, or in S3, when it returns: as the mount acknowledges it.
Result<void> copy(const std::string& from, const std::string& to, bool replace) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!in) {
    return failed("open", from, errno);
  }
  UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL), 0666));
  if (!out) {
    return failed("make", to, errno);
  }
  std::vector<char> buffer(kCopyBytes);
  for (;;) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0) {
      return failed("read", from, errno);
    }
    if (got == 0) {
      break;
    }
    for (ssize_t written = 0; written < got;) {
      const ssize_t more = ::write(out.get(), buffer.data() + written, static_cast<std::size_t>(got - written));
      if (more < 0) {
        return failed("write", to, errno);
      }
      written += more;
    }
  }
  if (::fsync(out.get()) != 0) {
    return failed("store", to, errno);
  }
  const int fd = ::dup(out.get());
  out.reset();
  return fd >= 0 && ::close(fd) == 0 ? Result<void>() : failed("store", to, errno);
}

Result<int> restore(const Command& command, const std::string& id) {
  TRY_ASSIGN(const KeptFile file, find_kept(command.place.cache_dir, id));
  TRY_ASSIGN(const std::string target, target_of(command, file));
  if (target.starts_with(command.place.mountpoint + "/")) {
    TRY(check_mounted(command.place.mountpoint));
  }
  struct stat there {};
  const bool replace = ::stat(target.c_str(), &there) == 0;
  if (replace || file.incomplete) {
    const std::string question = fmt::format("{}{}", replace ? fmt::format("{} exists, and is replaced. ", escape_control(target)) : "",
                                             file.incomplete ? "Unchanged ranges of the kept file are zeros. " : "");
    TRY_ASSIGN(const bool sure, confirmed(command.terminal, command.request.yes, question + "Go on?"));
    if (!sure) {
      return kRefused;
    }
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(target).parent_path(), error);
  if (error) {
    return failed("make the directory of", target, error.value());
  }
  TRY(copy(file.path, target, replace));
  TRY(remove_kept(file));
  print(command.terminal.out, fmt::format("{} is restored\n", escape_control(target)));
  return kDone;
}

}  // namespace

Result<int> conflicts(const Command& command) {
  const std::vector<std::string>& operands = command.request.operands;
  if (operands.empty() || (operands[0] == "list" && operands.size() == 1)) {
    return list(command);
  }
  if (operands[0] == "show" && operands.size() == 2) {
    return show(command, operands[1]);
  }
  if (operands[0] == "restore" && operands.size() >= 2) {
    return restore(command, operands[1]);
  }
  return fail(Errc::invalid, "conflicts knows: list, show ID, restore ID [TO]");
}

}  // namespace prefixfs::admin
