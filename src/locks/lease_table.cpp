#include "lease_table.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::locks {
namespace {

constexpr std::string_view kFirstLine = "prefixfs-locks 1";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto at = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, at));
    text.remove_prefix(std::min(at + 1, text.size()));
  }
  return parts;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// lock posix|flock shared|exclusive BEGIN END OWNER HANDLE PID
std::optional<Lock> lock_of(const std::vector<std::string_view>& words) {
  if (words.size() != 8 || (words[1] != "posix" && words[1] != "flock") || (words[2] != "shared" && words[2] != "exclusive")) {
    return std::nullopt;
  }
  const auto begin = number_of<std::uint64_t>(words[3]);
  const auto end = number_of<std::uint64_t>(words[4]);
  const auto owner = number_of<std::uint64_t>(words[5]);
  const auto handle = number_of<std::uint64_t>(words[6]);
  const auto pid = number_of<pid_t>(words[7]);
  if (!begin || !end || !owner || !handle || !pid || *begin >= *end) {
    return std::nullopt;
  }
  return Lock{.owner = {.kind = words[1] == "posix" ? Kind::posix : Kind::flock, .number = *owner},
              .mode = words[2] == "shared" ? Mode::shared : Mode::exclusive,
              .range = {*begin, *end},
              .pid = *pid,
              .handle = *handle};
}

/// host ID BEAT MILLISECONDS
std::optional<HostEntry> host_of(const std::vector<std::string_view>& words) {
  const auto lease = words.size() == 4 ? number_of<std::uint32_t>(words[3]) : std::nullopt;
  if (!lease) {
    return std::nullopt;
  }
  return HostEntry{.host = std::string(words[1]), .beat = std::string(words[2]), .lease = std::chrono::milliseconds(*lease), .locks = {}};
}

bool take_line(std::string_view line, LeaseTable& table) {
  const auto words = split(line, ' ');
  if (words.empty()) {
    return false;
  }
  if (words[0] == "file" && words.size() == 2) {
    const auto file = crypto::uri_decode(words[1]);
    table.file = file.value_or("");
    return file.has_value();
  }
  if (words[0] == "host") {
    const auto host = host_of(words);
    if (host && table.find(host->host) == nullptr) {
      table.hosts.push_back(*host);
      return true;
    }
    return false;
  }
  const auto lock = words[0] == "lock" && !table.hosts.empty() ? lock_of(words) : std::nullopt;
  if (lock) {
    table.hosts.back().locks.add(*lock);
  }
  return lock.has_value();
}

}  // namespace

std::string text_of(const LeaseTable& table) {
  std::string text = fmt::format("{}\nfile {}\n", kFirstLine, crypto::uri_encode(table.file, crypto::Slash::keep));
  for (const HostEntry& entry : table.hosts) {
    text += fmt::format("host {} {} {}\n", entry.host, entry.beat, entry.lease.count());
    for (const Lock& lock : entry.locks.all()) {
      text += fmt::format("lock {} {} {} {} {} {} {}\n", lock.owner.kind == Kind::posix ? "posix" : "flock",
                          lock.mode == Mode::shared ? "shared" : "exclusive", lock.range.begin, lock.range.end, lock.owner.number, lock.handle, lock.pid);
    }
  }
  return text;
}

Result<LeaseTable> parse_lease_table(std::string_view text) {
  const auto lines = split(text, '\n');
  LeaseTable table;
  bool good = !lines.empty() && lines.front() == kFirstLine && text.ends_with('\n');
  for (std::size_t at = 1; good && at < lines.size(); ++at) {
    good = take_line(lines[at], table);
  }
  if (!good) {
    return fail(Errc::unsupported, "a lease object holds what this version of prefixfs does not write");
  }
  return table;
}

}  // namespace prefixfs::locks
