#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace prefixfs::http {

class Transfer;

/// libcurl hands a body over in pieces of 16 KiB, whatever it has received at once; a sink may have to lock, write and wake for each call. Here
/// what one turn of the loop has brought for one transfer becomes one call. Of the loop thread.
class BodyGather {
 public:
  explicit BodyGather(std::size_t bytes_max) : bytes_max_(bytes_max) { bytes_.reserve(bytes_max); }

  /// Keeps a copy; what was kept of another transfer, or does not fit any more, is passed on first.
  void add(Transfer& owner, std::span<const std::byte> piece);
  /// To be called before the loop sleeps, and before a transfer ends.
  void pass_on();

 private:
  const std::size_t bytes_max_;
  Transfer* owner_ = nullptr;  ///< whose bytes_ are; null: there are none
  std::vector<std::byte> bytes_;
};

}  // namespace prefixfs::http
