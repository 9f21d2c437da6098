#include "open_intent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

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

}  // namespace

std::optional<OpenCall> read_open_call(std::string_view syscall_line) {
  std::array<std::uint64_t, 4> fields{};  // the number and the first three arguments
  for (std::uint64_t& field : fields) {
    const auto end = syscall_line.find_first_of(" \n");
    const auto number = number_of(syscall_line.substr(0, end));
    if (!number || end == std::string_view::npos) {
      return std::nullopt;
    }
    field = *number;
    syscall_line.remove_prefix(end + 1);
  }
  // creat(2) is left out: its number is readlink(2) to a program of 32 bits.
  std::size_t path = 0;
  if (fields[0] == SYS_openat) {
    path = 2;
  }
#ifdef SYS_open
  if (fields[0] == SYS_open) {
    path = 1;
  }
#endif
  if (path == 0) {
    return std::nullopt;
  }
  return OpenCall{.path = fields[path], .flags = static_cast<int>(fields[path + 1])};
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
    const auto call = read_open_call(*line);
    const auto path = call ? text_at(thread, call->path) : std::nullopt;
    if (path && ends_in(*path, name)) {
      return intent_of_flags(call->flags);
    }
    return path && leads_through(*path, name) ? vfs::LookupIntent::open_below : vfs::LookupIntent::unknown;
  }
  return vfs::LookupIntent::unknown;
}

}  // namespace prefixfs::fuse
