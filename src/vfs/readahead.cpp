#include "readahead.h"

#include <algorithm>

namespace prefixfs::vfs {
namespace {

// The kernel sends the reads of one run at once and several threads take them, so they arrive out of order: a little, and on a busy machine
// by all that are in flight (up to 64 of 128 KiB).
constexpr std::uint64_t kLittleBytes = 1 << 20;
constexpr std::uint64_t kInFlightBytes = 8 << 20;
// A program that looks into an archive or an index seeks as often, and wants no more.
constexpr std::uint64_t kPlacesMin = 16;

std::uint64_t round_down(std::uint64_t value, std::uint64_t step) { return value / step * step; }
std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return round_down(value + step - 1, step); }

}  // namespace

ReadAhead::Plan ReadAhead::plan(ByteRange wanted, std::uint64_t size, bool is_local) {
  wanted.end = std::min(wanted.end, size);
  const bool late = wanted.end <= expected_ && wanted.begin >= run_begin_ && wanted.begin + kInFlightBytes >= expected_;
  const bool near = wanted.begin <= expected_ + kLittleBytes && wanted.begin + kLittleBytes >= expected_;
  const bool in_order = late || near || early(wanted);
  if (!in_order) {
    run_bytes_ = 0;
    ahead_end_ = 0;
    run_begin_ = wanted.begin;
  }
  const std::uint64_t run_was_at = expected_;
  run_bytes_ += wanted.length();
  expected_ = in_order ? std::max(expected_, wanted.end) : wanted.end;

  // The run of a file that is read from its beginning is believed after the first block; elsewhere it must show itself first.
  const bool believed = in_order && (run_bytes_ > limits_.first_block_bytes || wanted.end > limits_.first_block_bytes) &&
                        (run_bytes_ > kLittleBytes || wanted.begin < limits_.part_bytes);
  if (!believed) {
    return scattered(wanted, size, is_local);
  }
  Plan plan;
  // One that came early brings the bytes before it along: the reads that ask for them are on their way.
  plan.now = {std::min(wanted.begin, run_was_at), std::min(size, round_up(wanted.end, limits_.part_bytes))};
  const std::uint64_t parts = std::min<std::uint64_t>(limits_.parts_ahead, run_bytes_ / (limits_.part_bytes / 4));
  std::uint64_t begin = std::max(plan.now.end, ahead_end_);
  const std::uint64_t end = std::min(size, plan.now.end + parts * limits_.part_bytes);
  while (begin < end) {
    const std::uint64_t part_end = std::min(size, round_down(begin, limits_.part_bytes) + limits_.part_bytes);
    plan.ahead.push_back({begin, part_end});
    begin = part_end;
  }
  ahead_end_ = std::max(ahead_end_, begin);
  return plan;
}

/// So far ahead is only what the kernel reads ahead, in large requests and where a run is under way; a program that seeks is not taken for it.
bool ReadAhead::early(ByteRange wanted) const {
  const bool under_way = run_begin_ == 0 || run_bytes_ > kLittleBytes;
  return under_way && wanted.length() >= limits_.first_block_bytes && wanted.begin >= expected_ && wanted.begin <= expected_ + kInFlightBytes;
}

ReadAhead::Plan ReadAhead::scattered(ByteRange wanted, std::uint64_t size, bool is_local) {
  Plan plan{.now = aligned(wanted, limits_.first_block_bytes, size), .ahead = {}, .scattered = true};
  if (!is_local && missed_++ >= std::max(kPlacesMin, size / limits_.part_bytes) && size <= limits_.scattered_bytes_max) {
    plan.ahead.push_back(aligned(wanted, limits_.part_bytes, size));
  }
  return plan;
}

ByteRange ReadAhead::aligned(ByteRange wanted, std::uint64_t step, std::uint64_t size) const {
  return {round_down(wanted.begin, step), std::min(size, round_up(wanted.end, step))};
}

}  // namespace prefixfs::vfs
