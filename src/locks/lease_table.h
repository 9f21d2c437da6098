#pragma once
// What stands in a lease object: each host that has locks on the file, and which.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "held_locks.h"
#include "prefixfs/base/result.h"

namespace prefixfs::locks {

struct HostEntry {
  std::string host;  ///< of one mount, from its start to its end
  std::string beat;  ///< another one each time the host writes: as long as it changes, the host is there
  std::chrono::milliseconds lease{};
  HeldLocks locks;
  friend bool operator==(const HostEntry&, const HostEntry&) = default;
};

struct LeaseTable {
  std::string file;  ///< the key below the prefix
  std::vector<HostEntry> hosts;

  const HostEntry* find(std::string_view host) const {
    const auto found = std::ranges::find(hosts, host, &HostEntry::host);
    return found == hosts.end() ? nullptr : &*found;
  }
  void remove(std::string_view host) {
    std::erase_if(hosts, [&](const HostEntry& entry) { return entry.host == host; });
  }
  friend bool operator==(const LeaseTable&, const LeaseTable&) = default;
};

/// Lines of words. The first is "prefixfs-locks 1", where 1 is the version of the format.
std::string text_of(const LeaseTable& table);
/// Errors: unsupported (nothing that text_of() writes, or by a newer version: nobody knows what is locked).
Result<LeaseTable> parse_lease_table(std::string_view text);

}  // namespace prefixfs::locks
