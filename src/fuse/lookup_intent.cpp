#include "lookup_intent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "prefixfs/base/environment.h"

namespace prefixfs::fuse {
namespace {

// The caller may not have fallen asleep yet when its request arrives here; the line says "running" until then.
constexpr int kLooksMax = 50;

std::optional<std::uint64_t> number_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return text.empty() || error != std::errc() || end != text.data() + text.size() ? std::nullopt : std::optional(number);
}

/// The text that begins there in the thread's memory, as far as it can be read.
std::optional<std::string> text_at(pid_t thread, std::uint64_t address) {
  std::array<char, PATH_MAX> buffer{};
  // A page that cannot be read ends the transfer between two elements, so the first one ends where its page does.
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = std::min<std::uint64_t>(buffer.size(), page - address % page);
  const iovec local{buffer.data(), buffer.size()};
  const std::array<iovec, 2> remote{iovec{reinterpret_cast<void*>(address), first},
                                    iovec{reinterpret_cast<void*>(address + first), buffer.size() - first}};
  const ssize_t got = ::process_vm_readv(thread, &local, 1, remote.data(), remote.size(), 0);
  const std::string_view read(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto end = read.find('\0');
  return end == std::string_view::npos ? std::nullopt : std::optional(std::string(read.substr(0, end)));
}

struct KnownCall {
  long number;
  PathCall::Kind kind;
  std::size_t path;       ///< which argument, counted from 1
  std::size_t flags = 0;  ///< 0: it has none that matter
};
constexpr std::size_t kPathCallArguments = 4;
// creat(2) is left out: its number is readlink(2) to a program of 32 bits.
constexpr auto kPathCalls = std::to_array<KnownCall>({
    {SYS_openat, PathCall::Kind::open, 2, 3},
    {SYS_mkdirat, PathCall::Kind::make, 2},
    {SYS_mknodat, PathCall::Kind::make, 2},
    {SYS_symlinkat, PathCall::Kind::make, 3},
    {SYS_linkat, PathCall::Kind::make, 4},
    {SYS_unlinkat, PathCall::Kind::unlink, 2, 3},
#ifdef SYS_open
    {SYS_open, PathCall::Kind::open, 1, 2},
    {SYS_mkdir, PathCall::Kind::make, 1},
    {SYS_mknod, PathCall::Kind::make, 1},
    {SYS_symlink, PathCall::Kind::make, 2},
    {SYS_link, PathCall::Kind::make, 2},
    {SYS_unlink, PathCall::Kind::unlink, 1},
#endif
});

}  // namespace

std::optional<PathCall> read_path_call(std::string_view syscall_line) {
  std::array<std::uint64_t, 1 + kPathCallArguments> fields{};  // the number and the first arguments
  for (std::uint64_t& field : fields) {
    const auto end = syscall_line.find_first_of(" \n");
    const auto number = number_of(syscall_line.substr(0, end));
    if (!number || end == std::string_view::npos) {
      return std::nullopt;
    }
    field = *number;
    syscall_line.remove_prefix(end + 1);
  }
  const auto* const call = std::ranges::find(kPathCalls, static_cast<long>(fields[0]), &KnownCall::number);
  if (call == kPathCalls.end()) {
    return std::nullopt;
  }
  return PathCall{.kind = call->kind, .path = fields[call->path], .flags = call->flags > 0 ? static_cast<int>(fields[call->flags]) : 0};
}

vfs::LookupIntent intent_of_flags(int flags) {
  const bool creates = (flags & O_CREAT) != 0;
  if ((creates && (flags & O_EXCL) != 0) || (flags & O_DIRECTORY) != 0) {
    return vfs::LookupIntent::unknown;
  }
  return creates && (flags & O_TRUNC) != 0 ? vfs::LookupIntent::open_anew : vfs::LookupIntent::open;
}

bool ends_in(std::string_view path, std::string_view name) {
  const auto slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (last != name || name.empty()) {
    return false;
  }
  const std::string before = fmt::format("/{}", path.substr(0, path.size() - last.size()));
  return before.find(fmt::format("/{}/", name)) == std::string::npos;
}

bool leads_through(std::string_view path, std::string_view name) {
  return !name.empty() && fmt::format("/{}", path).find(fmt::format("/{}/", name)) != std::string::npos;
}

vfs::LookupIntent intent_of_call(const PathCall& call, std::string_view path, std::string_view name) {
  if (call.kind == PathCall::Kind::make) {
    const auto last = path.find_last_not_of('/');  // "mkdir new/" is allowed
    return ends_in(path.substr(0, last + 1), name) ? vfs::LookupIntent::make : vfs::LookupIntent::unknown;
  }
  if (call.kind == PathCall::Kind::unlink) {
    return (call.flags & AT_REMOVEDIR) == 0 && ends_in(path, name) ? vfs::LookupIntent::remove : vfs::LookupIntent::unknown;
  }
  if (ends_in(path, name)) {
    return intent_of_flags(call.flags);
  }
  return leads_through(path, name) ? vfs::LookupIntent::open_below : vfs::LookupIntent::unknown;
}

vfs::LookupIntent intent_of(pid_t thread, std::string_view name) {
  const SystemFileReader files;
  for (int look = 0; look < kLooksMax; ++look) {
    const auto line = files.read(fmt::format("/proc/{}/syscall", thread));
    if (!line) {
      return vfs::LookupIntent::unknown;
    }
    if (line->starts_with("running")) {
      ::sched_yield();
      continue;
    }
    const auto call = read_path_call(*line);
    const auto path = call ? text_at(thread, call->path) : std::nullopt;
    return path ? intent_of_call(*call, *path, name) : vfs::LookupIntent::unknown;
  }
  return vfs::LookupIntent::unknown;
}

}  // namespace prefixfs::fuse
