#include "cache_state.h"

#include "record.h"

namespace prefixfs::meta {

namespace {

constexpr std::string_view kStateKey = "mcache";

}  // namespace

Result<CacheState> read_cache_state(LmdbEnv& journal) {
  CacheState state;
  TRY(journal.read([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto value, txn.get(kStateKey));
    if (value && value->size() >= 2) {
      state = {(*value)[0], (*value)[1] == 1, std::string(value->substr(2))};
    }
    return {};
  }));
  return state;
}

Result<void> write_cache_state(LmdbEnv& journal, const CacheState& state) {
  std::string value{state.format, static_cast<char>(state.closed ? 1 : 0)};
  value += state.boot_id;
  return journal.write([&](Txn& txn) { return txn.put(kStateKey, value); });
}

bool trustworthy(const CacheState& state, const std::string& boot_id) {
  return state.format == kCacheFormat && (state.closed || (!boot_id.empty() && state.boot_id == boot_id));
}

}  // namespace prefixfs::meta
