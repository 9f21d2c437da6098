#pragma once

#include <memory>

#include "lmdb_env.h"
#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

class LmdbFactStore final : public FactStore {
 public:
  explicit LmdbFactStore(std::shared_ptr<LmdbEnv> journal) : journal_(std::move(journal)) {}
  Result<std::optional<std::string>> get(std::string_view name) override;
  Result<void> put(std::string_view name, std::string_view value) override;

 private:
  std::shared_ptr<LmdbEnv> journal_;
};

}  // namespace prefixfs::meta
