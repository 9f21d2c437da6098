#include "journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "data_files.h"

namespace prefixfs::devs3 {
namespace {

std::unexpected<prefixfs::Error> failed(std::string_view call, const std::filesystem::path& path) {
  return fail(errno == ENOSPC ? Errc::no_space : Errc::io, fmt::format("{} {}: {}", call, path.string(), std::strerror(errno)));
}

Result<void> write_all(int fd, std::string_view data, const std::filesystem::path& path) {
  while (!data.empty()) {
    const auto written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return failed("write", path);
    }
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<Journal> Journal::open(std::filesystem::path path, const std::function<void(std::string_view)>& line) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return failed("open", path);
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  TRY(read_exactly(fd.get(), 0, std::as_writable_bytes(std::span(content))));
  Journal journal(std::move(path), std::move(fd));
  std::string_view rest = content;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    ++journal.lines_;
  }
  // A killed process may leave half a line: cut it off, or the next record would be glued to it.
  if (!rest.empty() && ::ftruncate(journal.fd_.get(), static_cast<off_t>(content.size() - rest.size())) != 0) {
    return failed("truncate", journal.path_);
  }
  return journal;
}

Result<void> Journal::append(std::string_view lines) {
  TRY(write_all(fd_.get(), lines, path_));
  lines_ += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
  return {};
}

Result<void> Journal::rewrite(std::string_view content) {
  auto temporary = path_;
  temporary += ".new";
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) {
    return failed("create", temporary);
  }
  TRY(write_all(fd.get(), content, temporary));
  if (::rename(temporary.c_str(), path_.c_str()) != 0) {
    return failed("rename", temporary);
  }
  fd_ = std::move(fd);
  lines_ = static_cast<std::uint64_t>(std::ranges::count(content, '\n'));
  return {};
}

}  // namespace prefixfs::devs3
