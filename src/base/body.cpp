#include "prefixfs/base/body.h"

#include <algorithm>

namespace prefixfs {

Result<void> SpanSource::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > data_.size() || out.size() > data_.size() - offset) {
    return fail(Errc::internal, "read past the end of a body in memory");
  }
  std::ranges::copy(data_.subspan(offset, out.size()), out.begin());
  return {};
}

}  // namespace prefixfs
