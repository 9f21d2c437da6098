#pragma once
// Bytes on their way to or from the network, without a buffer of the whole.

#include <cstddef>
#include <cstdint>
#include <span>

#include "prefixfs/base/result.h"

namespace prefixfs {

/// A body to send. Positional, so that a retry starts again without a copy. `read_at` may be called from any thread.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;  ///< bytes
  /// Fills the whole of `out`; offset + out.size() never exceeds size().
  virtual Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

/// A body that arrives, in order, from offset 0 of the body. An error ends the transfer and is what the caller gets.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// A retry begins again: what was accepted so far is void.
  virtual Result<void> restart() = 0;
  virtual Result<void> accept(std::span<const std::byte> data) = 0;
};

/// A body in memory, for small things (XML, markers). Does not own the bytes.
class SpanSource final : public BodySource {
 public:
  explicit SpanSource(std::span<const std::byte> data) : data_(data) {}
  std::uint64_t size() const override { return data_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::span<const std::byte> data_;
};

}  // namespace prefixfs
