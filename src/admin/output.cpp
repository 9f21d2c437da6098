#include "output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "prefixfs/base/escape.h"

namespace prefixfs::admin {

void print(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return;  // nobody reads any more
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

void complain(const Terminal& terminal, const Error& error) { print(terminal.err, fmt::format("prefixfs: {}\n", escape_control(error.what))); }

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return fmt::format("{} bytes", bytes);
  }
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    size /= 1024;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string age_text(std::chrono::nanoseconds age) {
  const auto seconds = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count(), 0);
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  }
  return seconds < 86400 ? fmt::format("{}h{}m", seconds / 3600, seconds % 3600 / 60) : fmt::format("{}d{}h", seconds / 86400, seconds % 86400 / 3600);
}

std::string changes_text(std::uint64_t count) { return fmt::format("{} {}", count, count == 1 ? "change" : "changes"); }

Result<bool> confirmed(const Terminal& terminal, bool assumed, std::string_view question) {
  if (assumed) {
    return true;
  }
  if (::isatty(terminal.in) == 0) {
    return fail(Errc::invalid, fmt::format("{} There is no terminal to ask at; --yes says so beforehand", question));
  }
  print(terminal.err, fmt::format("{} Type yes: ", question));
  std::string answer;
  for (char letter = 0; ::read(terminal.in, &letter, 1) == 1 && letter != '\n' && answer.size() < 16;) {
    answer += letter;
  }
  return answer == "yes";
}

}  // namespace prefixfs::admin
