#include "interrupts.h"

#include <charconv>
#include <csignal>
#include <cstdint>
#include <string>

#include "prefixfs/base/environment.h"

namespace prefixfs::fuse {
namespace {

constexpr std::uint64_t bit(int signal_number) { return 1ULL << (signal_number - 1); }
constexpr std::uint64_t kEnding = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGALRM) | bit(SIGTERM) | bit(SIGKILL);

/// A mask line of /proc/<pid>/status: "SigPnd:\t0000000000000000".
std::uint64_t mask_of(std::string_view status, std::string_view name) {
  const auto at = status.find(name);
  if (at == std::string_view::npos) {
    return 0;
  }
  const std::string_view text = status.substr(at + name.size(), 18);
  const auto digits = text.find_first_of("0123456789abcdef");
  std::uint64_t mask = 0;
  if (digits != std::string_view::npos) {
    std::from_chars(text.data() + digits, text.data() + text.size(), mask, 16);
  }
  return mask;
}

}  // namespace

bool is_to_end(std::string_view status_text) {
  const std::uint64_t pending = mask_of(status_text, "SigPnd:") | mask_of(status_text, "ShdPnd:");
  return (pending & ~mask_of(status_text, "SigBlk:") & kEnding) != 0;
}

bool is_to_end(pid_t thread) {
  const auto status = SystemFileReader().read("/proc/" + std::to_string(thread) + "/status");
  return !status || is_to_end(std::string_view(*status));
}

}  // namespace prefixfs::fuse
