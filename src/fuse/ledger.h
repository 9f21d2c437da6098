#pragma once
// The memory that outlives a worker (a memfd which the supervisor hands to each): where it lies, and its layout.

#include <atomic>
#include <cstdint>

#include "prefixfs/base/result.h"

namespace prefixfs::fuse {

// A program of another layout cannot read it: then raise the version, and the mount is made anew.
inline constexpr std::uint64_t kLedgerVersion = 0x7066734c'00000001;
inline constexpr std::size_t kInFlightMax = 256;
inline constexpr std::size_t kHandlesMax = 1 << 20;
inline constexpr std::size_t kVersionBytesMax = 96;

/// A request that is sent again has this bit in `unique` (FUSE_UNIQUE_RESEND of protocol 7.40).
inline constexpr std::uint64_t kResentBit = 1ULL << 63;

/// A request that was read and not answered. Free: unique is 0.
struct InFlightRecord {
  std::uint64_t unique;
  std::uint64_t inode;
  std::uint32_t opcode;
  std::uint16_t deaths;   ///< how many workers died with it in hand
  std::uint16_t in_hand;  ///< the present worker has it
};

enum class HandleKind : std::uint32_t { none, file, directory };
enum class HandleState : std::uint8_t {
  stored,    ///< S3 has all of it
  unstored,  ///< the worker has bytes that S3 has not
  dead,      ///< it could not be opened again after a death: an error for ever
  owed,      ///< the journal has what S3 has not
};

/// An open handle. `kind` is written last, and cleared first.
struct HandleRecord {
  std::atomic<HandleKind> kind;
  std::uint32_t flags;
  std::uint64_t handle;
  std::uint64_t inode;
  std::uint64_t request;  ///< `unique` of the OPEN, CREATE or OPENDIR that made it, without kResentBit
  std::atomic<HandleState> state;
  std::uint8_t version_bytes;  ///< kVersionUnknown: it did not fit
  char version[kVersionBytesMax];
};
inline constexpr std::uint8_t kVersionUnknown = 255;

/// All zeros is an empty one. Pages that are never used take no memory.
struct LedgerLayout {
  std::uint64_t version;
  std::atomic<std::uint64_t> handles_used;  ///< records behind it have never been used
  InFlightRecord in_flight[kInFlightMax];
  HandleRecord handles[kHandlesMax];
};

/// Maps it, for as long as it lives.
class Ledger {
 public:
  /// Errors: io, unsupported (written by a program of another layout).
  static Result<Ledger> map(int fd);
  Ledger(Ledger&& other) noexcept;
  Ledger& operator=(Ledger&&) = delete;
  ~Ledger();

  LedgerLayout& operator*() const { return *layout_; }
  LedgerLayout* operator->() const { return layout_; }

 private:
  explicit Ledger(LedgerLayout* layout) : layout_(layout) {}

  LedgerLayout* layout_;
};

}  // namespace prefixfs::fuse
