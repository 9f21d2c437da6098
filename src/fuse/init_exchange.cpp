#include "init_exchange.h"

#include <linux/fuse.h>

#include <algorithm>
#include <cstring>

namespace prefixfs::fuse {
namespace {

// FUSE_HAS_RESEND of protocol 7.40; headers of older kernels lack it.
constexpr std::uint64_t kHasResend = 1ULL << 39;
constexpr std::size_t kFlagsAt = sizeof(fuse_in_header) + offsetof(fuse_init_in, flags);
constexpr std::size_t kFlags2At = sizeof(fuse_in_header) + offsetof(fuse_init_in, flags2);
static_assert(offsetof(fuse_init_in, flags) == offsetof(fuse_init_out, flags));

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint32_t word = 0;
  if (bytes.size() >= offset + sizeof word) {
    std::memcpy(&word, bytes.data() + offset, sizeof word);
  }
  return word;
}

void set_word(std::span<std::byte> bytes, std::size_t offset, std::uint32_t word) {
  if (bytes.size() >= offset + sizeof word) {
    std::memcpy(bytes.data() + offset, &word, sizeof word);
  }
}

/// The second half counts only where FUSE_INIT_EXT says so.
std::uint64_t flags_of(std::uint32_t low, std::uint32_t high) { return (low & FUSE_INIT_EXT) != 0 ? low | std::uint64_t{high} << 32 : low; }

}  // namespace

SavedInit InitExchange::encode() const {
  SavedInit saved(sizeof granted + request.size());
  std::memcpy(saved.data(), &granted, sizeof granted);
  std::ranges::copy(request, saved.begin() + sizeof granted);
  return saved;
}

Result<InitExchange> InitExchange::decode(std::span<const std::byte> saved) {
  InitExchange exchange;
  fuse_in_header header{};
  if (saved.size() < sizeof exchange.granted + kFlagsAt + sizeof(std::uint32_t)) {
    return fail(Errc::corrupt, "the saved FUSE_INIT is too short");
  }
  std::memcpy(&exchange.granted, saved.data(), sizeof exchange.granted);
  saved = saved.subspan(sizeof exchange.granted);
  std::memcpy(&header, saved.data(), sizeof header);
  if (header.opcode != FUSE_INIT || header.len != saved.size()) {
    return fail(Errc::corrupt, "the saved FUSE_INIT is no FUSE_INIT");
  }
  exchange.request.assign(saved.begin(), saved.end());
  return exchange;
}

bool InitExchange::kernel_resends() const {
  return (flags_of(word_at(request, kFlagsAt), word_at(request, kFlags2At)) & kHasResend) != 0;
}

std::vector<std::byte> InitExchange::request_for_replay() const {
  std::vector<std::byte> masked = request;
  set_word(masked, kFlagsAt, word_at(masked, kFlagsAt) & static_cast<std::uint32_t>(granted));
  set_word(masked, kFlags2At, word_at(masked, kFlags2At) & static_cast<std::uint32_t>(granted >> 32));
  return masked;
}

std::uint64_t granted_flags(std::span<const std::byte> answer) {
  return flags_of(word_at(answer, offsetof(fuse_init_out, flags)), word_at(answer, offsetof(fuse_init_out, flags2)));
}

bool can_be_taken_over(std::span<const std::byte> saved) {
  const auto exchange = InitExchange::decode(saved);
  return exchange && exchange->kernel_resends();
}

}  // namespace prefixfs::fuse
