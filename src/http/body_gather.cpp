#include "body_gather.h"

#include <utility>

#include "transfer.h"

namespace prefixfs::http {

void BodyGather::add(Transfer& owner, std::span<const std::byte> piece) {
  if (owner_ != &owner || bytes_.size() + piece.size() > bytes_max_) {
    pass_on();
  }
  owner_ = &owner;
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
}

void BodyGather::pass_on() {
  if (Transfer* const owner = std::exchange(owner_, nullptr)) {
    owner->give_to_sink(bytes_);
    bytes_.clear();
  }
}

}  // namespace prefixfs::http
