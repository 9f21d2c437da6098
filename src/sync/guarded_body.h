#pragma once

#include <atomic>

#include "prefixfs/stage/staged_file.h"

namespace prefixfs::sync {

/// A staged file as it was at one moment: a read fails as soon as the file has changed, so what was sent whole is exactly that moment.
class GuardedBody final : public BodySource {
 public:
  GuardedBody(const stage::StagedFile& file, const stage::Moment& moment)
      : file_(file), body_(file, {0, moment.size}), change_count_(moment.change_count) {}
  std::uint64_t size() const override { return body_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override;
  /// A read has failed for this reason.
  bool changed() const { return changed_.load(); }

 private:
  const stage::StagedFile& file_;
  stage::StagedBody body_;
  const std::uint64_t change_count_;
  mutable std::atomic<bool> changed_{false};
};

}  // namespace prefixfs::sync
