#include "guarded_body.h"

namespace prefixfs::sync {

Result<void> GuardedBody::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  const Result<void> read = body_.read_at(offset, out);
  // Asked afterwards: no change until now means that the bytes just read are those of the moment.
  if (file_.change_count() != change_count_) {
    changed_ = true;
    return fail(Errc::stale, "the file was written to while it was sent");
  }
  return read;
}

}  // namespace prefixfs::sync
