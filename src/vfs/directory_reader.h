#pragma once
// The names that readdir gives: from the cache, as far as a listing under way has told of them.

#include <optional>
#include <vector>

#include "directory_handles.h"
#include "lister.h"
#include "resolver.h"
#include "rights.h"
#include "tree.h"

namespace prefixfs::vfs {

/// Thread-safe for different handles; the caller holds the handle's mutex.
/// Names come in the order of their places (meta::place_of), substitute names behind all others, so that each can be given as soon as a page has told
/// of it, and a program goes on behind the name that it read last, in whatever process.
class DirectoryReader {
 public:
  struct Parts {
    const Settings& settings;
    meta::NodeCache& nodes;
    const Tree& tree;
    Lister& lister;
    Resolver& resolver;
    const Rights& rights;
    Log& log;
  };
  explicit DirectoryReader(const Parts& parts) : p_(parts) {}

  /// From the beginning: asks for the first page where the last listing is not fresh.
  /// Errors: denied (no right to list), and those of Lister::next_page().
  Result<void> start(DirectoryHandle& handle, const CallContext& context) const;

  /// Some of the names behind that of the entry `last` (0: the first ones); empty: there are no more. Nothing: S3 has to be asked for them, and `may_ask` is false.
  /// Errors: as start(); after one the same may be asked again. Stale: `last` is not known any more.
  Result<std::optional<std::vector<meta::Node>>> names_behind(DirectoryHandle& handle, InodeId last, bool may_ask,
                                                              const CallContext& context) const;

 private:
  Result<void> next_page(DirectoryHandle& handle, const CallContext& context) const;
  Result<void> note_reading(const DirectoryHandle& handle) const;
  Result<std::string> name_of(const DirectoryHandle& handle, InodeId entry) const;
  Result<std::vector<meta::Node>> told_of(const DirectoryHandle& handle, const std::string& after) const;
  Result<std::vector<meta::Node>> late_ones(const DirectoryHandle& handle, InodeId last) const;
  static bool is_late(const DirectoryHandle& handle, InodeId entry);

  const Parts p_;
};

}  // namespace prefixfs::vfs
