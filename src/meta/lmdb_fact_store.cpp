#include "lmdb_fact_store.h"

namespace prefixfs::meta {

namespace {

constexpr std::size_t kFactNameBytesMax = 500;  // with the letter below LMDB's 511 bytes of a key

Result<std::string> fact_key(std::string_view name) {
  if (name.empty() || name.size() > kFactNameBytesMax) {
    return fail(Errc::invalid, "the name of a fact has 1 to 500 bytes");
  }
  return 'f' + std::string(name);
}

}  // namespace

Result<std::optional<std::string>> LmdbFactStore::get(std::string_view name) {
  TRY_ASSIGN(const std::string key, fact_key(name));
  std::optional<std::string> found;
  TRY(journal_->read([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto value, txn.get(key));
    if (value) {
      found = *value;
    }
    return {};
  }));
  return found;
}

Result<void> LmdbFactStore::put(std::string_view name, std::string_view value) {
  TRY_ASSIGN(const std::string key, fact_key(name));
  return journal_->write([&](Txn& txn) { return txn.put(key, value); });
}

}  // namespace prefixfs::meta
