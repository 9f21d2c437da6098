#pragma once
// Whether the cache environment of the last run can be trusted; see "The state of the cache" in FORMAT.md.

#include <string>

#include "lmdb_env.h"

namespace prefixfs::meta {

struct CacheState {
  char format = 0;
  bool closed = false;  ///< in order, and synced
  std::string boot_id;
};

/// A state that cannot be read is one which cannot be trusted, not an error.
Result<CacheState> read_cache_state(LmdbEnv& journal);
Result<void> write_cache_state(LmdbEnv& journal, const CacheState& state);
/// `boot_id` of now; empty when the kernel does not tell.
bool trustworthy(const CacheState& state, const std::string& boot_id);

}  // namespace prefixfs::meta
